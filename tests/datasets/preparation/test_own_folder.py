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
        "note: 1 clip lies in no class folder and was left alone",
        "note: 1 file of other types was left alone: 1 .txt (jump/notes.txt)",
        "note: 1 class has too few clips for every split: jump",
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
        ("label,file\nx,a.mp4\n", r"line 1 \('label,file'\): the columns must be file,label\[,split\], in that order"),
        ("Video;Split;Class\na.mp4;train;x\n", "line 1 .*: the columns must be file;label"),
        ("./a.mp4,x\nb/../a.mp4,y\n", "lists a.mp4 and b/../a.mp4, which are the same file"),
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
    with pytest.raises(UserError, match="The only clip .* should hold is empty; put whole clips there"):
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


def test_a_folder_beside_those_of_splits(tmp_path):
    touch(tmp_path, "train/a/1.mp4", "val/a/2.mp4", "unsorted/3.mp4")
    with pytest.raises(
        UserError,
        match=r"folders of splits \(train, val\) and beside them unsorted; move that out of .* or .* by --csv",
    ):
        prepare_folder(tmp_path)
    (tmp_path / "unsorted" / "3.mp4").unlink()
    assert "note: 1 folder holds no clip: unsorted" in prepare_folder(tmp_path).notes
    touch(tmp_path / "vehicles", "train/1.mp4", "tram/2.mp4")
    preparation = prepare_folder(tmp_path / "vehicles")
    assert preparation.classes == ["train", "tram"]
    assert preparation.notes[0] == "note: train counts as a class, not as a split, since tram lies beside"


def test_what_is_no_clip_is_counted(tmp_path):
    touch(tmp_path, "a/1.MTS", "a/2.m2ts", "a/3.ogv", "a/4.VOB", "a/x.gif", "a/y.GIF", "a/cover.jpg", "train_list.txt")
    touch(tmp_path, "lists/classes.txt", "lists/val_list.txt", "lists/test_list.txt.old")
    for name in ("b", "c d", ".hidden"):
        (tmp_path / name).mkdir()
    preparation = prepare_folder(tmp_path, shares={"val": 0})
    assert [path for path, _ in listed(preparation)["train"]] == ["a/1.MTS", "a/2.m2ts", "a/3.ogv", "a/4.VOB"]
    assert preparation.notes == [
        "note: 3 files of other types were left alone: 2 .gif, 1 .jpg (a/cover.jpg, a/x.gif, a/y.GIF)",
        "note: 2 folders hold no clip: b, c d",
    ]
    touch(tmp_path, *(f"c d/clip/{i}.jpg" for i in range(3)))
    notes = prepare_folder(tmp_path, kind="video").notes
    assert "note: 1 frame folder was left alone, since the clips are of the kind video" in notes


def test_names_that_no_list_can_hold(tmp_path):
    touch(tmp_path, "a/good.mp4", "a/two\nlines.mp4", "a/caf\udce9.mp4", "caf\udce9/1.mp4")
    preparation = prepare_folder(tmp_path, shares={"val": 0})
    assert preparation.classes == ["a"]
    (left_out,) = (names for reason, names in preparation.reports[0].left_out.items() if "unusable name" in reason)
    assert len(left_out) == 3
    preparation.write(tmp_path)
    assert (tmp_path / "train_list.txt").read_text() == "a/good.mp4 0\n"
    printed = "".join(preparation.reports[0].lines())
    assert "\\udce9" in printed
    printed.encode("utf-8")


def test_a_table_names_files_anywhere(tmp_path):
    root = touch(tmp_path / "data", "in.mp4", "odd.xyz")
    touch(tmp_path, "far/out.mp4", "far/gone/../empty.mp4", content=b"")
    touch(tmp_path, "far/out.mp4")
    lines = [f"{root}/in.mp4,a", f"{tmp_path}/far/out.mp4,a", "../far/empty.mp4,a", "../far/none.mp4,a", "odd.xyz,a"]
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    touch(root, "forgotten.mp4")
    preparation = prepare_folder(root, tmp_path / "mine.csv", {"val": 0})
    assert listed(preparation)["train"] == [("in.mp4", 0), (f"{tmp_path}/far/out.mp4", 0)]
    left_out = preparation.reports[0].left_out
    assert (left_out["empty"], left_out["missing"]) == (["../far/empty.mp4"], ["../far/none.mp4"])
    assert left_out["of an unknown type"] == ["odd.xyz"]
    assert preparation.notes == ["note: 1 clip on disk but not in the table, left alone: forgotten.mp4"]


def test_a_class_file_of_other_data(tmp_path):
    touch(tmp_path, "jump/1.mp4", "wave/2.mp4")
    (tmp_path / "names.txt").write_text("Jump\nWave\n")
    with pytest.raises(
        UserError, match=r"names.txt names none of the 2 classes of .* \(jump, wave\), but Jump, Wave; correct that"
    ):
        prepare_folder(tmp_path, class_file=tmp_path / "names.txt")
