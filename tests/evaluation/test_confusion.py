"""Confusion matrix, per-class rows and their tables."""

import csv

import cv2
import numpy as np
import pytest

from cgc_video.evaluation.confusion import class_rows, confusion_matrix, mean_class_accuracy
from cgc_video.evaluation.plots import plot_confusion
from cgc_video.evaluation.report import result_table
from cgc_video.evaluation.tables import class_table, write_class_csv, write_confusion_csv

LABELS, PREDICTIONS = [0, 0, 0, 1, 1, 3], [0, 1, 1, 1, 3, 3]
NAMES = ["left", "right", "up", "down"]


def test_confusion_matrix():
    matrix = confusion_matrix(LABELS, PREDICTIONS, 4)
    assert matrix.tolist() == [[1, 2, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert matrix.sum() == len(LABELS)
    assert mean_class_accuracy(matrix) == pytest.approx((1 / 3 + 1 / 2 + 1) / 3)


def test_mean_class_accuracy_against_mmaction_where_all_classes_occur():
    from mmaction.evaluation import mean_class_accuracy as theirs

    rng = np.random.default_rng(0)
    labels = np.concatenate([np.arange(6), rng.integers(0, 6, 40)])
    scores = rng.random((46, 6))
    matrix = confusion_matrix(labels, scores.argmax(1), 6)
    assert mean_class_accuracy(matrix) == pytest.approx(theirs(list(scores), labels.tolist()))


def test_rows():
    rows = class_rows(confusion_matrix(LABELS, PREDICTIONS, 4), NAMES)
    assert (rows[0].clips, rows[0].correct, rows[0].confused_with, rows[0].confused_clips) == (3, 1, "right", 2)
    assert rows[0].top1 == pytest.approx(1 / 3)
    assert (rows[2].clips, rows[2].top1, rows[2].confused_with) == (0, None, None)
    assert (rows[3].top1, rows[3].confused_with) == (1.0, None)


@pytest.mark.parametrize(
    ("labels", "predictions", "said"),
    [([0], [0, 1], "one length"), ([0, 4], [0, 0], r"labels hold 4.*0\.\.3"), ([0], [-1], "predictions hold -1")],
)
def test_bad_input(labels, predictions, said):
    with pytest.raises(ValueError, match=said):
        confusion_matrix(labels, predictions, 4)


def test_table_of_few_classes_lists_all():
    text = class_table(class_rows(confusion_matrix(LABELS, PREDICTIONS, 4), NAMES))
    assert "left       3     33.3  right (2)" in text
    assert "up         0        -  -" in text


def test_table_of_many_classes_lists_the_worst():
    matrix = np.diag(np.full(60, 10))
    matrix[7, 7], matrix[7, 8] = 2, 8
    text = class_table(class_rows(matrix, [f"class {i}" for i in range(60)]))
    assert "15 worst of 60" in text
    assert text.splitlines()[3].split() == ["class", "7", "10", "20.0", "class", "8", "(8)"]
    assert len(text.splitlines()) == 18


def test_csv_files(tmp_path):
    matrix = confusion_matrix(LABELS, PREDICTIONS, 4)
    write_class_csv(tmp_path / "a.csv", class_rows(matrix, NAMES))
    write_confusion_csv(tmp_path / "b.csv", matrix, NAMES)
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["top1"] for row in rows] == ["0.333333", "0.500000", "", "1.000000"]
    with (tmp_path / "b.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert table[0][1:] == NAMES
    assert [[int(n) for n in row[1:]] for row in table[1:]] == matrix.tolist()


@pytest.mark.parametrize("count", [1, 8, 30, 60])
def test_picture_grows_with_the_classes(tmp_path, count):
    matrix = np.diag(np.arange(count))  # class 0 has no clip
    plot_confusion(tmp_path / "m.png", matrix, [f"Moving something {i}" for i in range(count)])
    image = cv2.imread(str(tmp_path / "m.png"))
    assert min(image.shape[:2]) > 9 * count
    assert image.std() > 1


def test_result_table():
    metrics = {"acc/top1": 0.975, "acc/mean1": 0.5, "report/mean_class_accuracy": 0.9}
    text = result_table(metrics, clips=1234, views=30, seconds=61.7)
    assert [line.split()[-2:] for line in text.splitlines()[2:4]] == [["97.50", "%"], ["90.00", "%"]]
    assert "top-5" not in text
    assert "1,234" in text
    assert "61.7 s (20.0 clips/s)" in text
    images = result_table({**metrics, "scored/counted_wrong": 3.0}, 1234, 1, 61.7, decoder="none", unit="image")
    assert "images tested        1,234 (3 undecodable, counted as wrong)" in images
    assert "61.7 s (20.0 images/s)" in images
    assert "views" not in images
    assert "decoded" not in images
