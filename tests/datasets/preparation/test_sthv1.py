"""Something-Something v1: lists from small copies with the usual gaps."""

import pytest

from cgc_video.datasets.lists import read_classes, read_list
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.classes import CLASSES
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.datasets.preparation.sthv1 import count_frames, prepare_sthv1
from cgc_video.errors import UserError

PREFIX = "something-something-v1"


def make_frames(root, video_id, numbers):
    folder = root / "20bn-something-something-v1" / video_id
    folder.mkdir(parents=True)
    for number in numbers:
        (folder / f"{number:05d}.jpg").touch()
    return folder


def make_sthv1(root, tables=""):
    (root / tables).mkdir(parents=True, exist_ok=True)
    (root / tables / f"{PREFIX}-labels.csv").write_text("Opening something\nHolding something\n")
    (root / tables / f"{PREFIX}-train.csv").write_text("5;Holding something\n6;Opening something\n7;Holding something\n"
                                                       "8;Eating something\n9;Opening something\n")  # fmt: skip
    (root / tables / f"{PREFIX}-validation.csv").write_text("11;Opening something\n")
    make_frames(root, "5", range(1, 13))
    make_frames(root, "7", [])
    make_frames(root, "8", range(1, 5))
    make_frames(root, "9", [1, 2, 4])
    make_frames(root, "11", range(1, 4))
    return root


@pytest.mark.parametrize("tables", ["", "annotations"])
def test_lists_what_is_there_and_reports_the_rest(tmp_path, tables):
    seen = []
    preparation = prepare_sthv1(make_sthv1(tmp_path, tables), progress=lambda done, total: seen.append((done, total)))
    preparation.write(tmp_path)
    assert read_list(tmp_path / "train_list.txt", "rawframes") == [{"frame_dir": "5", "total_frames": 12, "label": 1}]
    assert read_list(tmp_path / "val_list.txt", "rawframes") == [{"frame_dir": "11", "total_frames": 3, "label": 0}]
    assert read_classes(tmp_path / "classes.txt") == ["Opening something", "Holding something"]
    train, val = preparation.reports
    assert train.left_out == {"missing": ["6"], "empty": ["7"], "with gaps": ["9"], "of an unknown class": ["8"]}
    assert (train.listed, val.listed) == (5, 1)
    assert seen[-1] == (6, 6)


def test_labels_in_the_order_of_tsm(tmp_path):
    preparation = prepare_sthv1(make_sthv1(tmp_path), order="sorted")
    assert preparation.classes == ["Holding something", "Opening something"]
    assert [report.entries[0]["label"] for report in preparation.reports] == [0, 1]
    with pytest.raises(UserError, match=r"order \(mine\) must be one of \['csv', 'sorted'\]"):
        prepare_sthv1(tmp_path, order="mine")


def test_without_a_split(tmp_path):
    (make_sthv1(tmp_path) / f"{PREFIX}-train.csv").unlink()
    preparation = prepare_sthv1(tmp_path)
    assert [path.name for path in preparation.write(tmp_path)] == ["val_list.txt", "classes.txt"]


def test_from_the_mini_renderer(tmp_path):
    build_mini(tmp_path / "sthv1", MiniArguments(train=8, val=8, size=16, frames=6, format="rawframes"))
    preparation = prepare_sthv1(tmp_path / "sthv1")
    preparation.write(tmp_path / "sthv1")
    assert [(report.listed, len(report.entries)) for report in preparation.reports] == [(8, 8), (8, 8)]
    entries = read_list(tmp_path / "sthv1" / "train_list.txt", "rawframes", num_classes=8)
    assert [entry["label"] for entry in entries] == list(range(8))
    assert read_classes(tmp_path / "sthv1" / "classes.txt") == list(CLASSES)
    for entry in entries:
        folder = tmp_path / "sthv1" / "20bn-something-something-v1" / entry["frame_dir"]
        assert entry["total_frames"] == len(list(folder.iterdir()))


def test_errors_name_the_file(tmp_path):
    with pytest.raises(UserError, match=r"20bn-something-something-v1 is not there"):
        prepare_sthv1(tmp_path)
    root = make_sthv1(tmp_path)
    (root / f"{PREFIX}-train.csv").write_text("5;Holding something\n6 Opening something\n")
    with pytest.raises(
        UserError, match=r"train.csv, line 2 \('6 Opening something'\): a line must read 'id;label text'"
    ):
        prepare_sthv1(root)
    (root / f"{PREFIX}-train.csv").write_text("1;Holding something\n")
    (root / f"{PREFIX}-validation.csv").write_text("2;Holding something\n")
    with pytest.raises(UserError, match="None of the 2 clips .* usable, 2 are missing; unpack the frames there"):
        prepare_sthv1(root).write(root)
    (root / f"{PREFIX}-labels.csv").unlink()
    with pytest.raises(UserError, match=r"labels.csv is not there"):
        prepare_sthv1(root)
    assert not list(root.glob("*.txt"))


@pytest.mark.parametrize(
    ("numbers", "count"), [([1, 2, 3], 3), ([], 0), ([0, 1], None), ([2, 3], None), ([1, 3], None)]
)
def test_count_frames(tmp_path, numbers, count):
    folder = make_frames(tmp_path, "1", numbers)
    (folder / "Thumbs.db").touch()
    assert count_frames(folder) == count


def test_whole_folders_that_are_named_otherwise(tmp_path):
    root = make_sthv1(tmp_path)
    (make_frames(root, "6", range(3)) / "00002.jpg").touch()
    for path in sorted((root / "20bn-something-something-v1" / "5").iterdir()):
        path.rename(path.with_suffix(".png"))
    preparation = prepare_sthv1(root)
    assert preparation.reports[0].left_out["named otherwise"] == ["5 (from 00001.png)", "6 (from 00000.jpg)"]
    assert preparation.reports[0].left_out["with gaps"] == ["9"]
    assert preparation.notes == [
        "note: 2 folders of frames are whole, but named otherwise; name their frames 00001.jpg onwards, as shipped"
    ]


def test_a_table_in_another_encoding(tmp_path):
    (make_sthv1(tmp_path) / f"{PREFIX}-train.csv").write_bytes(b"5;Holding caf\xe9\n")
    with pytest.raises(UserError, match="train.csv must be UTF-8 text"):
        prepare_sthv1(tmp_path)
