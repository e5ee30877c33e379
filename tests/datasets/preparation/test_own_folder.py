"""Own data: trees and tables of any shape, split fairly and always in the same way."""

from collections import Counter

import pytest

from cgc_video.datasets.lists import read_list
from cgc_video.datasets.preparation.folder import prepare_folder
from cgc_video.datasets.preparation.split import split_stratified
from cgc_video.errors import UserError


def touch(root, *paths, content=b"x"):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def listed(preparation) -> dict[str, list[tuple]]:
    return {report.split: [tuple(entry.values()) for entry in report.entries] for report in preparation.reports}


def test_a_tree_of_classes_with_nested_folders(tmp_path):
    touch(tmp_path, *(f"wave left/day {day}/{i}.MP4" for day in (1, 2) for i in range(5)), "jump/only.webm")
    touch(tmp_path, "jump/empty.avi", content=b"")
    touch(tmp_path, "jump/notes.txt", "loose.mp4", "jump/._x.mp4", ".cache/x.mp4")
    preparation = prepare_folder(tmp_path)
    assert preparation.classes == ["jump", "wave left"]
    train, val = preparation.reports
    assert Counter(entry["label"] for entry in train.entries) == {1: 8, 0: 1}
    assert Counter(entry["label"] for entry in val.entries) == {1: 2}
    assert train.left_out["empty"] == ["jump/empty.avi"]
    assert preparation.notes == [
        "note: 1 clips lie in no class folder and were left alone",
        "note: 1 classes have too few clips for every split: jump",
    ]
    assert (
        preparation.spaces_note()
        == "note: 10 paths hold a space, which ListedVideos reads and MMAction2's VideoDataset does not."
    )
    preparation.write(tmp_path / "lists")
    assert len(read_list(tmp_path / "lists" / "train_list.txt", num_classes=2)) == 9
    assert listed(prepare_folder(tmp_path)) == listed(preparation)
    assert listed(prepare_folder(tmp_path, seed=1)) != listed(preparation)


def test_a_tree_with_its_own_splits(tmp_path):
    touch(tmp_path, "Train/a/1.mp4", "Train/b/2.mp4", "valid/a/3.mp4", "test/b/4.mp4")
    assert listed(prepare_folder(tmp_path)) == {
        "train": [("Train/a/1.mp4", 0), ("Train/b/2.mp4", 1)], "val": [("valid/a/3.mp4", 0)], "test": [("test/b/4.mp4", 1)],
    }  # fmt: skip


def test_frame_folders(tmp_path):
    touch(tmp_path, *(f"{name}/clip {c}/img_{i:05d}.jpg" for name in "ab" for c in (1, 2) for i in range(3)))
    (tmp_path / "a/clip 2/img_00001.jpg").unlink()
    preparation = prepare_folder(tmp_path, shares={"val": 0})
    assert listed(preparation)["train"] == [("a/clip 1", 3, 0), ("b/clip 1", 3, 1), ("b/clip 2", 3, 1)]
    assert preparation.reports[0].left_out["with gaps"] == ["a/clip 2"]
    assert preparation.notes[-1] == (
        "frames are named 'img_{:05}.jpg' and start at 0: filename_tmpl='img_{:05}.jpg', start_index=0"
    )
    touch(tmp_path, "b/other/0001.jpg")
    with pytest.raises(
        UserError, match=r"frames are named in 2 ways: 'img_\{:05\}.jpg' from 0 in a/clip 1, '\{:04\}.jpg' from 1"
    ):
        prepare_folder(tmp_path)
    touch(tmp_path, "b/film.mp4")
    with pytest.raises(UserError, match="there are videos and frame folders; .* --kind video or rawframes"):
        prepare_folder(tmp_path)
    assert listed(prepare_folder(tmp_path, kind="video"))["train"] == [("b/film.mp4", 0)]


def test_a_table_with_names(tmp_path):
    touch(tmp_path, "x/1.mp4", "x/2.mp4", "3.mp4", "4.mp4")
    table = tmp_path / "mine.csv"
    table.write_text(
        'file,label,split\nx/1.mp4,"jump, high",train\n./x/2.mp4,wave,train\ngone.mp4,wave,val\n3.mp4,wave,val\n'
    )
    preparation = prepare_folder(tmp_path, table)
    assert preparation.classes == ["jump, high", "wave"]
    assert listed(preparation) == {"train": [("x/1.mp4", 0), ("x/2.mp4", 1)], "val": [("3.mp4", 1)]}
    assert preparation.reports[1].left_out["missing"] == ["gone.mp4"]
    (tmp_path / "names.txt").write_text("wave\n")
    preparation = prepare_folder(tmp_path, table, class_file=tmp_path / "names.txt")
    assert preparation.reports[0].left_out["of an unknown class"] == ["x/1.mp4"]
    assert listed(preparation)["val"] == [("3.mp4", 0)]


def test_a_table_with_labels_keeps_them(tmp_path):
    touch(tmp_path, *(f"{i}.mp4" for i in range(6)))
    (tmp_path / "mine.csv").write_text("".join(f"{i}.mp4;{10 if i < 3 else 2}\n" for i in range(6)))
    preparation = prepare_folder(tmp_path, tmp_path / "mine.csv", {"val": 0.34})
    assert preparation.classes == [str(label) for label in range(11)]
    assert {split: sorted(label for _, label in rows) for split, rows in listed(preparation).items()} == {
        "train": [2, 2, 10, 10], "val": [2, 10],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.mp4\n", "line 1 .*: a line must read 'file,label'"),
        ("a.mp4,x,train\nb.mp4,x,dev\n", "line 2 .*: split must be train, val or test"),
        ("a.mp4,x\na.mp4,y\n", "line 2 .*: the file is listed twice"),
        ("a.mp4,x,train\nb.mp4,x\n", "names a split on some lines only"),
        ("file,label\n", "lists no clip"),
    ],
)
def test_broken_tables(tmp_path, text, message):
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        prepare_folder(tmp_path, tmp_path / "mine.csv")


def test_what_cannot_work(tmp_path):
    with pytest.raises(UserError, match="none is not a folder"):
        prepare_folder(tmp_path / "none")
    with pytest.raises(UserError, match="gone.csv cannot be read"):
        prepare_folder(tmp_path, tmp_path / "gone.csv")
    with pytest.raises(UserError, match="holds no clip as <class>/<video>"):
        prepare_folder(touch(tmp_path, "loose.mp4"))
    with pytest.raises(UserError, match="must be 0 or more and leave some for training"):
        prepare_folder(tmp_path, shares={"val": 0.5, "test": 0.5})
    touch(tmp_path, "a/1.mp4", content=b"")
    with pytest.raises(UserError, match="None of the 1 clips .* usable, 1 are empty; put whole clips there"):
        prepare_folder(tmp_path).write(tmp_path)


def test_the_split_is_stratified_and_stable():
    clips = [(f"{name}/{i}", name) for name, count in (("a", 100), ("b", 7), ("c", 2), ("d", 1)) for i in range(count)]
    splits, small = split_stratified(clips, {"val": 0.2, "test": 0.1}, seed=3)
    counts = Counter((name, splits[path]) for path, name in clips)
    assert [counts["a", split] for split in ("train", "val", "test")] == [70, 20, 10]
    assert [counts["b", split] for split in ("train", "val", "test")] == [5, 1, 1]
    assert (counts["c", "train"], counts["c", "val"], counts["d", "train"], small) == (1, 1, 1, ["c", "d"])
    assert split_stratified(reversed(clips), {"val": 0.2, "test": 0.1}, seed=3)[0] == splits
    more = split_stratified([*clips, ("e/1", "e")], {"val": 0.2, "test": 0.1}, seed=3)[0]
    assert {path: more[path] for path in splits} == splits
