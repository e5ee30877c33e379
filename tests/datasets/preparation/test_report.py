"""What preparation says and writes."""

import io

import pytest

from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.datasets.preparation.report import Preparation, SplitReport
from cgc_video.datasets.preparation.words import counted, printable, some
from cgc_video.errors import UserError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_in_a_log_is_a_line_now_and_then():
    stream = io.StringIO()
    with ProgressLine("Found file", every=100, stream=stream) as progress:
        for done in range(251):
            progress(done)
        progress(300, 1000)
    assert stream.getvalue() == "Found file 100\nFound file 200\nFound file 300/1000\n"


def test_progress_on_a_terminal_is_one_line_and_rare():
    stream = Terminal()
    with ProgressLine("Found file", stream=stream) as progress:
        for done in range(100_001):
            progress(done, 100_000)
    text = stream.getvalue()
    assert text.startswith("\rFound file 0/100000")
    assert text.endswith("\rFound file 100000/100000\n")
    assert text.count("\n") == 1
    assert text.count("\r") < 100


def preparation(tmp_path, names: list[str]) -> Preparation:
    report = SplitReport("train", entries=[{"filename": name, "label": 0} for name in names])
    report.leave_out("missing", "gone.mp4")
    return Preparation([report, SplitReport("val")], ["a"], "video", tmp_path, "put some there")


def test_many_names_are_cut_short(tmp_path):
    report = preparation(tmp_path, ["x.mp4"]).reports[0]
    for number in range(7):
        report.leave_out("empty", f"{number}.mp4")
    assert report.lines() == [
        "train: 9 listed, 1 found (11.1 %), 1 missing, 7 empty, 0 of an unknown class",
        "  missing: gone.mp4",
        "  empty: 0.mp4, 1.mp4, 2.mp4, 3.mp4, 4.mp4, ...",
    ]


def test_nothing_usable_writes_nothing(tmp_path):
    with pytest.raises(UserError, match=r"The only clip that .* should hold is missing; put some there"):
        preparation(tmp_path, []).write(tmp_path / "lists")
    assert not (tmp_path / "lists").exists()


def test_probing_leaves_out_what_does_not_open(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    looked_at = preparation(tmp_path, ["text.mp4", "none.mp4"])
    seen = []
    looked_at.probe(progress=lambda done, total: seen.append((done, total)))
    assert looked_at.reports[0].entries == []
    bad = looked_at.reports[0].left_out["undecodable"]
    assert [line.partition(" (")[0] for line in bad] == ["text.mp4", "none.mp4"]
    assert bad[1] == "none.mp4 (missing)"
    assert seen[-1] == (2, 2)


def test_a_list_of_an_earlier_run_is_put_aside(tmp_path):
    (tmp_path / "val_list.txt").write_text("x.mp4 0\n")
    (tmp_path / "my_list.txt").touch()
    looked_at = preparation(tmp_path, ["x.mp4"])
    assert [path.name for path in looked_at.write(tmp_path)] == ["train_list.txt", "classes.txt"]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"train_list.txt", "classes.txt", "val_list.txt.old", "my_list.txt"}
    path = tmp_path / "val_list.txt"
    assert looked_at.notes == [
        f"note: {path} of an earlier run is now val_list.txt.old: this run has no clip for that split"
    ]


@pytest.mark.parametrize("text", ["b\na\n", "a\nb\n", ""])
def test_lists_of_other_classes_are_replaced_only_when_told_to(tmp_path, text):
    (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(
        UserError, match=r"classes.txt names other classes .* \(1: a\); write elsewhere by --output, or"
    ):
        preparation(tmp_path, ["x.mp4"]).write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["classes.txt"]
    preparation(tmp_path, ["x.mp4"]).write(tmp_path, force=True)
    assert (tmp_path / "classes.txt").read_text() == "a\n"


def test_an_output_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    looked_at = preparation(tmp_path, ["x.mp4"])
    for folder in (tmp_path / "file", tmp_path / "file" / "lists"):
        with pytest.raises(
            UserError, match=r"--output \(.*\) must be a folder, but .*file is a file; name another place"
        ):
            looked_at.check_output(folder)
    looked_at.check_output(tmp_path / "new" / "lists")
    assert not (tmp_path / "new").exists()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(UserError, match=r"--output \(.*new\) cannot be written: no permission in"):
        looked_at.check_output(tmp_path / "new")


def test_words():
    assert [counted(1, "class"), counted(2, "class"), counted(1, "clip")] == ["1 class", "2 classes", "1 clip"]
    assert (some("ab"), some("abcdef", 2)) == ("a, b", "a, b, ...")
    assert printable("a\nb\udcff") == "a\\nb\\udcff"
