"""The data tools as commands: what they print, and that a mistake is one line and exit code 2."""

import importlib.util
from pathlib import Path

import pytest

from cgc_video.datasets.mini_sth import build

TOOLS = Path(__file__).parents[2] / "tools" / "data"
MINI = ["--train", "8", "--val", "8", "--size", "16", "--frames", "6", "--workers", "1"]


def load(name):
    spec = importlib.util.spec_from_file_location(f"data_tool_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_mini = load("make_mini")
PREPARE = {name: load(f"prepare_{name}") for name in ("sthv1", "sthv2", "kinetics", "folder")}
prepare_sthv1, prepare_kinetics = PREPARE["sthv1"], PREPARE["kinetics"]


def assert_one_line(capsys, *parts):
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    for part in parts:
        assert part in error


def test_make_mini_renders_reuses_and_refuses(tmp_path, capsys):
    command = ["--output", str(tmp_path / "mini"), *MINI]
    assert make_mini.main(command) == 0
    out = capsys.readouterr().out
    assert "Rendering clip 16/16" in out
    assert "Rendered 8 training and 8 validation clips of 8 classes in" in out
    assert out.endswith("mini: classes.txt, mini.json, train_list.txt, val_list.txt, videos/\n")
    assert make_mini.main(command) == 0
    assert "Reused: 8 training and 8 validation clips" in capsys.readouterr().out
    assert make_mini.main([*command, "--seed", "3"]) == 2
    assert_one_line(capsys, "error: output", "seed 0 instead of 3; use --force")
    assert make_mini.main([*command, "--seed", "3", "--force"]) == 0


def test_make_mini_mistakes(tmp_path, capsys):
    assert make_mini.main(["--output", str(tmp_path / "mini"), "--size", "31"]) == 2
    assert_one_line(capsys, "size (31) must be even")
    (tmp_path / "file").touch()
    assert make_mini.main(["--output", str(tmp_path / "file" / "mini"), *MINI]) == 2
    assert_one_line(capsys, "cannot be written")


def test_make_mini_interrupted(tmp_path, capsys, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "write_mp4", interrupt)
    assert make_mini.main(["--output", str(tmp_path / "mini"), *MINI]) == 130
    assert capsys.readouterr().err.endswith("error: interrupted; nothing was written.\n")
    assert not any(tmp_path.iterdir())


def test_prepare_sthv1_on_mini_raw_frames(tmp_path, capsys):
    root = tmp_path / "sthv1"
    assert make_mini.main(["--output", str(root), "--format", "rawframes", *MINI]) == 0
    (root / "20bn-something-something-v1" / "3").rename(root / "elsewhere")
    capsys.readouterr()
    assert prepare_sthv1.main([str(root)]) == 0
    assert capsys.readouterr().out == (
        "train: 8 listed, 7 found (87.5 %), 1 missing, 0 empty, 0 with gaps, 0 of an unknown class\n"
        "  missing: 3\n"
        "val: 8 listed, 8 found (100.0 %), 0 missing, 0 empty, 0 with gaps, 0 of an unknown class\n"
        f"8 classes; names in the lists are relative to {root / '20bn-something-something-v1'}\n"
        f"Wrote {root / 'train_list.txt'}, {root / 'val_list.txt'} and {root / 'classes.txt'}.\n"
    )


def test_prepare_kinetics(tmp_path, capsys):
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "ddddddddddd_000118_000128.mp4").write_bytes(b"x")
    rows = ["abseiling,ddddddddddd,118,128,val", "zumba,aaaaaaaaaaa,0,10,val"]
    (tmp_path / "val.csv").write_text("\n".join(["label,youtube_id,time_start,time_end,split", *rows]) + "\n")
    assert prepare_kinetics.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "train: 0 listed, 0 found, 0 missing, 0 empty\n"
        "val: 2 listed, 1 found (50.0 %), 1 missing, 0 empty\n"
        "  missing: aaaaaaaaaaa_000000_000010\n"
        f"2 classes; names in the lists are relative to {tmp_path}\n"
        f"Wrote {tmp_path / 'val_list.txt'} and {tmp_path / 'classes.txt'}.\n"
    )


def test_prepare_folder_probes(tmp_path, capsys):
    for name, content in (("a/1.mp4", b"no video"), ("a/2.mp4", b"no video"), ("b c/3.mp4", b"")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    command = [str(tmp_path), "--output", str(tmp_path / "lists")]
    assert PREPARE["folder"].main([*command, "--val-share", "0"]) == 0
    assert capsys.readouterr().out == (
        "train: 3 listed, 2 found (66.7 %), 0 missing, 1 empty, 0 of an unknown class\n"
        "  empty: b c/3.mp4\n"
        "val: 0 listed, 0 found, 0 missing, 0 empty, 0 of an unknown class\n"
        f"2 classes; names in the lists are relative to {tmp_path}\n"
        f"Wrote {tmp_path / 'lists' / 'train_list.txt'} and {tmp_path / 'lists' / 'classes.txt'}.\n"
    )
    assert PREPARE["folder"].main([*command, "--probe", "--workers", "1"]) == 2
    assert_one_line(capsys, "error: None of the 3 clips that", "1 is empty, 2 are undecodable; put whole clips there.")
    assert PREPARE["folder"].main([*command, "--probe", "--workers", "0"]) == 2
    assert_one_line(capsys, "error: --workers (0) and --time-limit (60) must be above 0.")


@pytest.mark.parametrize("tool", PREPARE.values(), ids=PREPARE)
def test_an_output_that_is_a_file_is_refused_at_once(tool, tmp_path, capsys):
    (tmp_path / "README.md").touch()
    assert tool.main([str(tmp_path), "--output", str(tmp_path / "README.md")]) == 2
    assert_one_line(capsys, "error: --output (", "README.md) must be a folder, but")


def test_lists_of_an_earlier_run(tmp_path, capsys):
    for name in ("a/1.mp4", "a/2.mp4", "a/3.mp4", "b\udce9/4.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert PREPARE["folder"].main([str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "of an unusable name: b\\udce9/4.mp4\n" in out.replace(" (no UTF-8, or a line break)", "")
    assert "note: a is the only class, so there is nothing to tell apart\n1 class; names in the lists" in out
    assert PREPARE["folder"].main([str(tmp_path), "--val-share", "0"]) == 0
    assert "val_list.txt of an earlier run is now val_list.txt.old: this run has no clip" in capsys.readouterr().out
    (tmp_path / "a").rename(tmp_path / "c")
    assert PREPARE["folder"].main([str(tmp_path)]) == 2
    assert_one_line(capsys, "classes.txt names other classes (1: a) than this data (1: c)", "by --force.")
    assert PREPARE["folder"].main([str(tmp_path), "--force"]) == 0


@pytest.mark.parametrize("tool", PREPARE.values(), ids=PREPARE)
def test_preparation_without_data(tool, tmp_path, capsys):
    assert tool.main([str(tmp_path)]) == 2
    assert_one_line(capsys, "error: ", str(tmp_path))


@pytest.mark.parametrize("tool", [make_mini, *PREPARE.values(), load("check")], ids=["mini", *PREPARE, "check"])
def test_help_ends_with_an_example(tool, capsys):
    with pytest.raises(SystemExit, match="0"):
        tool.main(["--help"])
    assert "example:\n  python tools/data/" in capsys.readouterr().out
