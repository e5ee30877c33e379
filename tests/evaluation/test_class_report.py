"""The metric: every sample once, names from the right place, files where they belong."""

import pytest
import torch
from mmaction.registry import METRICS
from torch import nn

from cgc_video.evaluation import ClassReport, count_parameters


def sample(label: int, predicted: int, num_classes: int = 3) -> dict:
    scores = torch.zeros(num_classes)
    scores[predicted] = 1.0
    return {"pred_score": scores, "gt_label": torch.tensor([label])}


SAMPLES = [sample(0, 0), sample(1, 0), sample(1, 1), sample(2, 2), sample(2, 2)]


def run(metric: ClassReport, batch_size: int = 2) -> dict:
    for start in range(0, len(SAMPLES), batch_size):
        metric.process({}, SAMPLES[start : start + batch_size])
    return metric.evaluate(len(SAMPLES))


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_counts_each_sample_once(batch_size):
    metric = METRICS.build(dict(type="ClassReport", log_table=False))
    result = run(metric, batch_size)
    assert result["report/clips"] == 5
    assert result["report/mean_class_accuracy"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert metric.matrix.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 2]]
    assert run(metric, batch_size)["report/clips"] == 5  # a second epoch starts anew


def test_a_smaller_denominator_is_an_error():
    metric = ClassReport(log_table=False)
    metric.process({}, SAMPLES)
    with pytest.raises(RuntimeError, match="5 samples were evaluated, but the data set holds 6"):
        metric.evaluate(6)


def test_files_and_names(tmp_path):
    (tmp_path / "classes.txt").write_text("left\nright\nstill\n")
    metric = ClassReport(str(tmp_path / "eval"), "test_", class_names=str(tmp_path / "classes.txt"), log_table=False)
    run(metric)
    names = {path.name for path in (tmp_path / "eval").iterdir()}
    assert names == {"test_per_class.csv", "test_confusion_matrix.csv", "test_confusion_matrix.png"}
    assert "1,right,2,1,0.500000,left,1" in (tmp_path / "eval" / "test_per_class.csv").read_text()
    metric.dataset_meta = {"classes": ("a", "b", "c")}  # the data set's own names go first
    run(metric)
    assert "1,b,2,1" in (tmp_path / "eval" / "test_per_class.csv").read_text()


@pytest.mark.parametrize(("names", "shown"), [(None, ["0", "1", "2"]), (["x"], ["0", "1", "2"]), ("abc", None)])
def test_names_without_a_match(names, shown, tmp_path):
    if shown is None:
        with pytest.raises(ValueError, match="cannot be read"):
            ClassReport(class_names=str(tmp_path / names))._names(3)
    else:
        assert ClassReport(class_names=names)._names(3) == shown


def test_several_labels_are_refused():
    with pytest.raises(ValueError, match="must hold one label"):
        ClassReport().process({}, [{"pred_score": torch.ones(3), "gt_label": torch.tensor([0, 1])}])


def test_count_parameters():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    assert count_parameters(model) == 6 + 2 + 4
    model[0].requires_grad_(False)
    assert count_parameters(model, trainable_only=True) == 4
    shared = nn.Linear(2, 2, bias=False)
    assert count_parameters(nn.Sequential(shared, shared)) == 4
