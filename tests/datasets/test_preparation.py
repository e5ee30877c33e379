"""Lists made from data sets as they are shipped, on small copies with the usual gaps."""

import pytest

from cgc_video.datasets.lists import read_classes, read_list
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.classes import CLASSES
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.datasets.preparation.kinetics import prepare_kinetics
from cgc_video.datasets.preparation.sthv1 import count_frames, prepare_sthv1
from cgc_video.errors import UserError

PREFIX = "something-something-v1"
HEADER = "label,youtube_id,time_start,time_end,split\n"


def make_frames(root, video_id, numbers):
    folder = root / "20bn-something-something-v1" / video_id
    folder.mkdir(parents=True)
    for number in numbers:
        (folder / f"{number:05d}.jpg").touch()
    return folder


def make_sthv1(root):
    root.mkdir(exist_ok=True)
    (root / f"{PREFIX}-labels.csv").write_text("Opening something\nHolding something\n")
    (root / f"{PREFIX}-train.csv").write_text("5;Holding something\n6;Opening something\n7;Holding something\n"
                                              "8;Eating something\n9;Opening something\n")  # fmt: skip
    (root / f"{PREFIX}-validation.csv").write_text("11;Opening something\n")
    make_frames(root, "5", range(1, 13))
    make_frames(root, "7", [])
    make_frames(root, "8", range(1, 5))
    make_frames(root, "9", [1, 2, 4])
    make_frames(root, "11", range(1, 4))
    return root


def test_sthv1_lists_what_is_there_and_reports_the_rest(tmp_path):
    seen = []
    train, val = prepare_sthv1(make_sthv1(tmp_path), lambda done, total: seen.append((done, total)))
    assert read_list(tmp_path / "train_list.txt", "rawframes") == [{"frame_dir": "5", "total_frames": 12, "label": 1}]
    assert read_list(tmp_path / "val_list.txt", "rawframes") == [{"frame_dir": "11", "total_frames": 3, "label": 0}]
    assert read_classes(tmp_path / "classes.txt") == ["Opening something", "Holding something"]
    assert (train.found, train.missing, train.empty, train.broken) == (["5"], ["6"], ["7"], ["9"])
    assert train.unknown == ["8"]
    assert (train.listed, val.listed) == (5, 1)
    assert seen[-1] == (6, 6)


def test_sthv1_without_a_split(tmp_path):
    (make_sthv1(tmp_path) / f"{PREFIX}-train.csv").unlink()
    (report,) = prepare_sthv1(tmp_path)
    assert report.split == "val"
    assert not (tmp_path / "train_list.txt").exists()


def test_sthv1_from_the_mini_renderer(tmp_path):
    build_mini(tmp_path / "sthv1", MiniArguments(train=8, val=8, size=16, frames=6, format="rawframes"))
    reports = prepare_sthv1(tmp_path / "sthv1")
    assert [(report.listed, len(report.found)) for report in reports] == [(8, 8), (8, 8)]
    entries = read_list(tmp_path / "sthv1" / "train_list.txt", "rawframes", num_classes=8)
    assert [entry["label"] for entry in entries] == list(range(8))
    assert read_classes(tmp_path / "sthv1" / "classes.txt") == list(CLASSES)
    for entry in entries:
        folder = tmp_path / "sthv1" / "20bn-something-something-v1" / entry["frame_dir"]
        assert entry["total_frames"] == len(list(folder.iterdir()))


def test_sthv1_errors_name_the_file(tmp_path):
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
    with pytest.raises(UserError, match="None of the 2 videos that the CSV files list has frames"):
        prepare_sthv1(root)
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


def make_kinetics(root, paths, rows):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    (root / "annotations").mkdir(parents=True)
    for split in ("train", "validate", "test"):
        lines = [f"{row},{split}\n" for row in rows.get(split, [])]
        (root / "annotations" / f"{split}.csv").write_text(HEADER + "".join(lines))
    return root


ROWS = {
    "train": ["zumba,aaaaaaaaaaa,0,10", '"petting animal (not cat)",bb_bbbb-bbb,12,22', "abseiling,ccccccccccc,5,15"],
    "validate": ["abseiling,ddddddddddd,118,128"],
    "test": ["abseiling,eeeeeeeeeee,1,11"],
}
NAMES = ["aaaaaaaaaaa_000000_000010.mp4", "bb_bbbb-bbb_000012_000022.mp4", "ddddddddddd_000118_000128.mp4"]


@pytest.mark.parametrize(
    "folders",
    [
        ("train", "train", "val"),
        ("videos_train/zumba", "videos_train/petting_animal_(not_cat)", "videos_val/abseiling"),
        ("videos_train/zumba", "videos_train/petting animal (not cat)", "videos_val/abseiling"),
    ],
    ids=["flat", "underscores", "spaces"],
)
def test_kinetics_in_every_layout(tmp_path, folders):
    paths = [f"{folder}/{name}" for folder, name in zip(folders, NAMES, strict=True)]
    make_kinetics(tmp_path, [*paths, "train/fffffffffff_000000_000010.mp4"], ROWS)
    train, val = prepare_kinetics(tmp_path)
    assert read_classes(tmp_path / "classes.txt") == ["abseiling", "petting animal (not cat)", "zumba"]
    expected = [{"filename": paths[0], "label": 2}, {"filename": paths[1], "label": 1}]
    assert read_list(tmp_path / "train_list.txt", num_classes=3) == expected
    assert read_list(tmp_path / "val_list.txt") == [{"filename": paths[2], "label": 0}]
    assert (train.listed, len(train.found), train.missing) == (3, 2, ["ccccccccccc_000005_000015"])
    assert (val.listed, val.missing) == (1, [])
    prepare_kinetics(tmp_path)  # a second run sees its own lists and changes nothing
    assert read_list(tmp_path / "train_list.txt", num_classes=3) == expected


def test_kinetics_with_named_tables(tmp_path):
    root = make_kinetics(tmp_path, [f"val/{NAMES[2]}"], ROWS)
    train, val = prepare_kinetics(root, [root / "annotations" / "validate.csv"])
    assert (train.listed, val.listed) == (0, 1)
    assert not (root / "train_list.txt").exists()


def test_kinetics_errors_name_the_file(tmp_path):
    with pytest.raises(UserError, match="none is not a folder"):
        prepare_kinetics(tmp_path / "none")
    (tmp_path / "notes.csv").write_text("a,b\n")
    with pytest.raises(UserError, match="No CSV file below .* has the header label,youtube_id"):
        prepare_kinetics(tmp_path)
    with pytest.raises(UserError, match="notes.csv lacks the column label"):
        prepare_kinetics(tmp_path, [tmp_path / "notes.csv"])
    with pytest.raises(UserError, match="gone.csv cannot be read: No such file"):
        prepare_kinetics(tmp_path, [tmp_path / "gone.csv"])
    make_kinetics(tmp_path, [], ROWS)
    with pytest.raises(UserError, match="None of the 4 videos that the CSV files list is below"):
        prepare_kinetics(tmp_path)
    (tmp_path / "annotations" / "train.csv").write_text(HEADER + "abseiling,ccccccccccc,soon,15,train\n")
    with pytest.raises(UserError, match=r"train.csv, line 2 \('soon', '15'\): time_start and time_end must be seconds"):
        prepare_kinetics(tmp_path)
