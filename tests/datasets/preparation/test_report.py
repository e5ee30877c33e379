"""What preparation says and writes."""

import io

import pytest

from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.datasets.preparation.report import Preparation, SplitReport
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
    with pytest.raises(
        UserError, match=r"None of the 1 clips that .* should hold is usable, 1 are missing; put some there"
    ):
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
