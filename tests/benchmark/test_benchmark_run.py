"""Rows of one case: ratios, rates, and notes where something cannot run."""

from dataclasses import dataclass

import pytest

from cgc_video.benchmark.run import measure
from cgc_video.benchmark.settings import Settings
from cgc_video.benchmark.step import Step


@dataclass(frozen=True)
class Sleeper:
    """Sums numbers; ``unfold`` asks for more memory than any machine has, ``cpu`` refuses the call."""

    name: str = "sleeper"
    input: str = "1 x 1"

    def step(self, formulation: str, training: bool, settings: Settings) -> Step:
        def run() -> None:
            if formulation == "cpu":
                raise ValueError("backend ('cpu') cannot run this call: it is busy.")
            sum(range(200_000 if formulation == "ours" else 20_000))

        return Step(run)

    def needed_bytes(self, formulation: str, training: bool) -> int:
        return 2**60 if formulation == "unfold" else 0

    def operations(self, training: bool) -> int:
        return 3_000_000 if training else 1_000_000


def test_rows(monkeypatch):
    monkeypatch.setattr("cgc_video.benchmark.run.available_bytes", lambda: 16 * 2**30)
    lines: list[str] = []
    settings = Settings(repeats=5)
    rows = measure(Sleeper(), ["unfold", "ours", "cpu"], ["inference", "training"], settings, lines.append)
    assert [(row.mode, row.formulation) for row in rows] == [
        (mode, name) for mode in ("inference", "training") for name in ("plain", "unfold", "ours", "cpu")
    ]
    plain, unfold, ours, cpu = rows[:4]
    assert plain.time_ratio == 1
    assert ours.time_ratio == ours.median_ms / plain.median_ms > 1
    assert ours.gflops == pytest.approx(1 / ours.median_ms)
    assert rows[6].gflops == pytest.approx(3 / rows[6].median_ms)
    assert unfold.note == ("not run: needs 1073741824.0 GiB at least, 16.0 GiB are free")
    assert unfold.median_ms is None
    assert cpu.note == "backend ('cpu') cannot run this call: it is busy."
    assert {row.peak_mib for row in rows} == {None}
    assert lines[0].startswith("  inference, time: plain ")
    assert lines[1].startswith("  inference, unfold: not run")
