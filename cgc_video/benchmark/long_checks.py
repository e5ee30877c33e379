"""Run the long checks of reliability, and put what they found into a document, with commit and hardware.

A check is a part of the tests with ``--run-slow``. What a test records by the fixture ``figure`` becomes a row; the others are counted.
"""

import datetime
import os
import platform
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..analysis.complexity_tables import table
from ..analysis.marked_place import fill_place
from ..errors import UserError
from .environment import cpu_name, usable_cores

__all__ = ["CHECKS", "CheckResult", "embed", "read_report", "render", "run_check"]

_ROOT = Path(__file__).resolve().parents[2]
# by name: where the tests are
CHECKS = {
    "resume": ["tests/engine/resumption", "tests/reliability/test_kill_training.py"],
    "processes": ["tests/tools/several_processes"],
    "faults": ["tests/reliability/test_fault_loss.py", "tests/reliability/test_fault_training.py"],
    "soak": ["tests/reliability/test_soak_decoding.py", "tests/reliability/test_soak_training.py"],
    "fuzz": ["tests/fuzz"],
}


@dataclass(frozen=True)
class Outcome:
    """A test that recorded figures, or failed."""

    test: str
    figures: tuple[str, ...]
    failure: str | None
    seconds: float


@dataclass(frozen=True)
class CheckResult:
    """What became of the tests of a check; ``how`` says by what command, when, where and of which commit."""

    name: str
    outcomes: tuple[Outcome, ...]
    passed: int
    skipped: int
    failed: int
    how: str

    @property
    def ok(self) -> bool:
        return self.failed == 0 and self.passed > 0


def run_check(name: str, jobs: int, of: str) -> CheckResult:
    """Run the tests of a check in ``jobs`` processes of one thread each; their output goes where that of this process goes.

    Args:
        of: The commit, as it was before the results of another check changed the document.
    Raises:
        UserError: If the tests do not run at all.
    """
    start = datetime.datetime.now(datetime.timezone.utc)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *CHECKS[name], "--run-slow", "-q", "-rfE", f"--junitxml={report}"]
        command += ["-n", str(jobs), "--dist", "worksteal"]
        done = subprocess.run(command, cwd=_ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})
        if done.returncode not in (0, 1) or not report.is_file():  # 1: some failed
            raise UserError(
                f"the tests of {name} did not run (pytest's exit code {done.returncode}); what it says stands above."
            )
        minutes = (datetime.datetime.now(datetime.timezone.utc) - start).total_seconds() / 60
        how = (
            f"`python tools/long_checks.py {name} --jobs {jobs}`, {minutes:.0f} min on {start:%Y-%m-%d}, {usable_cores()} cores of an "
            f"{cpu_name()}, Python {platform.python_version()}, torch {torch.__version__}, commit {of}"
        )
        return read_report(name, report.read_text(encoding="utf-8"), how)


def read_report(name: str, report: str, how: str) -> CheckResult:
    """Read what ``pytest --junitxml`` writes."""
    cases = list(ElementTree.fromstring(report).iter("testcase"))
    skipped = sum(case.find("skipped") is not None for case in cases)
    outcomes, failed = [], 0
    for case in cases:
        fault = next((case.find(kind) for kind in ("failure", "error") if case.find(kind) is not None), None)
        figures = [entry.get("value", "") for entry in case.iter("property") if entry.get("name") == "figure"]
        failed += fault is not None
        if figures or fault is not None:
            failure = None if fault is None else fault.get("message", "").partition("\n")[0]
            outcomes.append(Outcome(case.get("name", ""), tuple(figures), failure, float(case.get("time", 0))))
    outcomes.sort(key=lambda outcome: outcome.test)
    return CheckResult(name, tuple(outcomes), len(cases) - skipped - failed, skipped, failed, how)


def render(result: CheckResult) -> str:
    """The counts, and a Markdown table with a row per figure or failure."""
    counts = f"{result.passed} tests passed, {result.failed} failed, {result.skipped} were skipped: {result.how}."
    rows = []
    for outcome in result.outcomes:
        found = [*outcome.figures, *([f"**failed**: {outcome.failure}"] if outcome.failure is not None else [])]
        name = outcome.test.removeprefix("test_").replace("_", " ")
        rows.append((name, "; ".join(found).replace("|", "\\|"), f"{outcome.seconds:.0f}"))
    return "\n\n".join(
        [counts, table(("check", "found", "seconds"), rows, "markdown", left=(0, 1))] if rows else [counts]
    )


def embed(document: str, results: Sequence[CheckResult], path: str = "the document") -> str:
    """Put each result into its place, ``long check NAME``.

    Raises:
        UserError: If a place is missing.
    """
    for result in results:
        document = fill_place(document, f"long check {result.name}", render(result), path)
    return document
