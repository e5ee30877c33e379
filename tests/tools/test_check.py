"""``tools/data/check.py``: every bad clip is named, the rest can be had as a list, and the exit code tells."""

import shutil

import pytest

from tools.data.check import main


@pytest.fixture
def data(tiny_data, tmp_path):
    """A copy of the tiny clips, two of which are bad."""
    shutil.copytree(tiny_data, tmp_path / "data")
    (tmp_path / "data" / "videos" / "1.mp4").write_bytes(b"")
    (tmp_path / "data" / "videos" / "3.mp4").write_text("no video")
    return tmp_path / "data"


def test_a_good_list(tiny_data, capsys):
    assert main([str(tiny_data / "list.txt"), "--workers", "2"]) == 0
    assert capsys.readouterr().out == (
        f"{tiny_data / 'list.txt'}: 5 clips in {tiny_data / 'videos'}\n0 of 5 clips are bad\n"
    )


def test_bad_clips_of_a_list_are_named_and_left_out(data, capsys):
    clean = data / "clean.txt"
    assert main([str(data / "list.txt"), "--write-clean", str(clean), "--workers", "1"]) == 1
    out = capsys.readouterr().out
    assert "  bad: 1.mp4: empty (0 bytes)\n" in out
    assert "  bad: 3.mp4: " in out
    assert out.endswith(f"2 of 5 clips are bad\nWrote {clean} with 3 clips.\n")
    assert clean.read_text() == "0.mp4 0\n2.mp4 2\n4.mp4 1\n"
    assert main([str(clean), "--first-frame-only", "--workers", "1"]) == 0


def test_a_config_is_checked_list_by_list_each_once(data, tiny_config, capsys):
    config = tiny_config(("DATA/", f"{data}/"))
    assert main([config, "--workers", "1"]) == 1
    out = capsys.readouterr().out
    assert out.count("5 clips in") == 1
    assert "  bad: 1.mp4: empty (0 bytes)\n" in out
    assert main([config, "--split", "val", "--write-clean", str(data / "clean.txt"), "--workers", "1"]) == 1
    assert len((data / "clean.txt").read_text().splitlines()) == 3


def test_frame_folders_are_told_from_videos(tmp_path, capsys):
    for name in ("clip 1", "clip 2"):
        (tmp_path / "frames" / name).mkdir(parents=True)
    (tmp_path / "list.txt").write_text("clip 1 3 0\nclip 2 3 1\n")
    assert main([str(tmp_path / "list.txt"), "--workers", "1"]) == 1
    assert "  bad: clip 1: a folder without frames\n" in capsys.readouterr().out


def fails(capsys, *argv: str) -> str:
    assert main(list(argv)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_what_cannot_be_checked(data, tiny_config, tmp_path, capsys):
    assert "gone.txt) cannot be read" in fails(capsys, "gone.txt")
    assert "gone.py) does not exist" in fails(capsys, "gone.py")
    (data / "other.txt").write_text("far/away.mp4 0\n")
    message = fails(capsys, str(data / "other.txt"))
    assert "none of the first 1 entries" in message
    assert "by --media" in message
    assert "must be above 0" in fails(capsys, str(data / "list.txt"), "--workers", "0")
    assert "--split (val) is of a config, and" in fails(capsys, str(data / "list.txt"), "--split", "val")
    assert "--media is of a list, and" in fails(capsys, tiny_config(), "--media", "x")
    assert "must be a folder" in fails(
        capsys, str(data / "list.txt"), "--write-clean", str(data / "list.txt" / "x.txt")
    )
    assert "must be a file" in fails(capsys, str(data / "list.txt"), "--write-clean", str(data))
    replaced = ('val_dataloader = dict(\n    batch_size=3, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=False),\n'
                "    dataset=dict(pipeline=train_pipeline, test_mode=True, **data)")  # fmt: skip
    other = replaced.replace(
        "**data", 'type="VideoDataset", ann_file="DATA/clean.txt", data_prefix=dict(video="DATA/videos")'
    )
    shutil.copy(data / "list.txt", data / "clean.txt")
    config = tiny_config((replaced, other), ("DATA/", f"{data}/"))
    assert "--write-clean writes one list" in fails(capsys, config, "--write-clean", "x.txt")


def test_interrupted(data, capsys, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("tools.data.check.check_clips", interrupt)
    assert main([str(data / "list.txt")]) == 130
    assert capsys.readouterr().err == "error: interrupted; the same command starts again with the first clip.\n"


def test_clips_that_are_listed_twice(data, capsys):
    (data / "list.txt").write_text("0.mp4 0\n2.mp4 2\n./0.mp4 0\n4.mp4 1\n4.mp4 2\n")
    assert main([str(data / "list.txt"), "--write-clean", str(data / "new" / "clean.txt"), "--workers", "1"]) == 1
    out = capsys.readouterr().out
    assert "  bad: 4.mp4: listed with the labels 1 and 2\n  note: 1 clip listed more than once: ./0.mp4\n" in out
    assert "1 of 4 clips are bad\n" in out
    assert (data / "new" / "clean.txt").read_text() == "0.mp4 0\n2.mp4 2\n./0.mp4 0\n"


def test_clips_that_are_in_two_splits(tiny_data, tmp_path, tiny_config, capsys):
    shutil.copytree(tiny_data, tmp_path / "data")
    (tmp_path / "data" / "val.txt").write_text("1.mp4 1\n4.mp4 1\n")
    val = ('sampler=dict(type="DefaultSampler", shuffle=False),\n'
           "    dataset=dict(pipeline=train_pipeline, test_mode=True, **data)")  # fmt: skip
    config = tiny_config(
        (val, val.replace("**data", '**{**data, "ann_file": "DATA/val.txt"}')), ("DATA/", f"{tmp_path}/data/")
    )
    assert main([config, "--workers", "1", "--first-frame-only"]) == 1
    out = capsys.readouterr().out
    lists = f"{tmp_path}/data/list.txt and in {tmp_path}/data/val.txt"
    assert f"shared: 2 clips are both in {lists}: 1.mp4, 4.mp4\n" in out


def test_a_clip_is_named_as_the_list_names_it(data, capsys):
    (data / "list.txt").write_text(f"0.mp4 0\n{data}/videos/1.mp4 1\n")
    assert main([str(data / "list.txt"), "--workers", "1"]) == 1
    assert f"  bad: {data}/videos/1.mp4: empty (0 bytes)\n1 of 2 clips are bad\n" in capsys.readouterr().out
