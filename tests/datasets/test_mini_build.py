"""The mini data set on disk: its layout, that it is all or nothing, and what it depends on."""

import json
from collections import Counter

import pytest

from cgc_video.datasets.lists import read_classes, read_list
from cgc_video.datasets.mini_sth import build
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.classes import CLASSES
from cgc_video.datasets.mini_sth.layout import MiniArguments, list_clips
from cgc_video.errors import UserError

SMALL = MiniArguments(train=16, val=8, size=16, frames=6)


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("mini") / "data" / "mini_sth"
    assert build_mini(root, SMALL)
    return root


def test_layout_of_videos(made):
    assert sorted(p.name for p in made.iterdir()) == [
        "classes.txt",
        "mini.json",
        "train_list.txt",
        "val_list.txt",
        "videos",
    ]
    assert [path.name for path in made.parent.iterdir()] == ["mini_sth"]
    assert read_classes(made / "classes.txt") == list(CLASSES)
    train, val = (read_list(made / f"{split}_list.txt", "video", num_classes=8) for split in ("train", "val"))
    assert Counter(entry["label"] for entry in train) == dict.fromkeys(range(8), 2)
    assert Counter(entry["label"] for entry in val) == dict.fromkeys(range(8), 1)
    listed = {entry["filename"] for entry in train + val}
    assert listed == {path.name for path in (made / "videos").iterdir()}
    assert len(listed) == 24
    metadata = json.loads((made / "mini.json").read_text())
    assert metadata["arguments"]["train"] == 16
    assert set(metadata["versions"]) == {"av", "numpy", "opencv"}


def test_same_bytes_with_any_number_of_workers(made, tmp_path):
    seen = []
    assert build_mini(tmp_path / "mini", SMALL, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert contents(tmp_path / "mini") == contents(made)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, 24), (24, 24))


def test_clip_depends_on_seed_split_and_index_alone(made, tmp_path):
    build_mini(tmp_path / "fewer", MiniArguments(train=3, val=2, size=16, frames=6))
    build_mini(tmp_path / "other", MiniArguments(train=3, val=2, size=16, frames=6, seed=1))
    for path in (tmp_path / "fewer" / "videos").iterdir():
        assert path.read_bytes() == (made / "videos" / path.name).read_bytes()
        assert path.read_bytes() != (tmp_path / "other" / "videos" / path.name).read_bytes()
    videos = {path.read_bytes() for path in (made / "videos").iterdir()}
    assert len(videos) == 24


def test_layout_of_raw_frames(tmp_path):
    arguments = MiniArguments(train=9, val=8, size=16, frames=6, format="rawframes")
    build_mini(tmp_path / "sthv1", arguments)
    prefix = "something-something-v1"
    train = (tmp_path / "sthv1" / f"{prefix}-train.csv").read_text().splitlines()
    assert train[:2] == [f"1;{CLASSES[0]}", f"2;{CLASSES[1]}"]
    assert len(train) == 9
    assert len((tmp_path / "sthv1" / f"{prefix}-validation.csv").read_text().splitlines()) == 8
    assert (tmp_path / "sthv1" / f"{prefix}-test.csv").read_text() == "200001\n200002\n"
    assert read_classes(tmp_path / "sthv1" / f"{prefix}-labels.csv") == list(CLASSES)
    folders = {path.name for path in (tmp_path / "sthv1" / "20bn-something-something-v1").iterdir()}
    assert folders == {clip.name for clip in list_clips(arguments)}
    assert (tmp_path / "sthv1" / "20bn-something-something-v1" / "1" / "00001.jpg").is_file()


def test_complete_set_is_reused_and_another_needs_force(made, tmp_path):
    assert not build_mini(made, SMALL)
    with pytest.raises(UserError, match="holds a mini data set with seed 0 instead of 4; use --force"):
        build_mini(made, MiniArguments(train=16, val=8, size=16, frames=6, seed=4))
    root = tmp_path / "mini"
    tiny = MiniArguments(train=2, val=1, size=16, frames=6)
    build_mini(root, tiny)
    (root / "videos" / "000002.mp4").unlink()
    with pytest.raises(UserError, match=r"lacks 1 of its files \(videos/000002.mp4 for one\); use --force"):
        build_mini(root, tiny)
    assert build_mini(root, tiny, force=True)
    assert not build_mini(root, tiny)
    assert [path.name for path in tmp_path.iterdir()] == ["mini"]


@pytest.mark.parametrize("force", [False, True])
def test_nothing_else_is_ever_replaced(tmp_path, force):
    folder, file = tmp_path / "photos", tmp_path / "file"
    folder.mkdir()
    (folder / "holiday.jpg").touch()
    file.write_text("text")
    for output in (folder, file):
        with pytest.raises(UserError, match="exists and is not a mini data set"):
            build_mini(output, SMALL, force=force)
    with pytest.raises(UserError, match="cannot be written: .*; choose another folder"):
        build_mini(file / "below", SMALL, force=force)
    assert (folder / "holiday.jpg").exists()
    assert file.read_text() == "text"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "photos"]


def test_empty_folder_is_filled(tmp_path):
    assert build_mini(tmp_path, MiniArguments(train=1, val=1, size=16, frames=3))
    assert (tmp_path / "train_list.txt").read_text() == "000001.mp4 0\n"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("existing", [False, True])
def test_interruption_leaves_what_was_there(tmp_path, workers, existing):
    root = tmp_path / "mini"
    if existing:
        build_mini(root, MiniArguments(train=1, val=1, size=16, frames=3))
    before = contents(root)

    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_mini(root, SMALL, workers=workers, force=True, progress=interrupt)
    assert contents(root) == before
    assert [path.name for path in tmp_path.iterdir()] == ["mini"] * existing


@pytest.mark.parametrize("workers", [1, 2])
def test_full_disk_is_one_sentence(tmp_path, monkeypatch, workers):
    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "write_mp4", fail)
    with pytest.raises(UserError, match="cannot be written: No space left on device"):
        build_mini(tmp_path / "mini", SMALL, workers=workers)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": 0}, r"train \(0\) must be from 1"),
        ({"val": 100_000}, r"val \(100000\) must be from 1 to 99999"),
        ({"size": 33}, r"size \(33\) must be even"),
        ({"size": 8}, r"size \(8\) must be from 16"),
        ({"frames": 2}, r"frames \(2\) must be from 3"),
        ({"seed": -1}, r"seed \(-1\) must be from 0"),
        ({"format": "gif"}, r"format \(gif\) must be one of"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        build_mini(tmp_path / "mini", MiniArguments(**change))
    with pytest.raises(UserError, match=r"workers \(0\) must be 1 or more"):
        build_mini(tmp_path / "mini", SMALL, workers=0)
