"""A whole run of the translation benchmark: cases one by one, tables after each."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .report import to_text, write_report
from .run import Row, measure
from .settings import Settings
from .translation_cases import DecodingCase, TrainingCase

__all__ = ["run"]


def run(
    cases: Sequence[TrainingCase | DecodingCase],
    settings: Settings,
    environment: Mapping[str, str],
    folder: Path,
    report: Callable[[str], None],
) -> list[Row]:
    """Time every case, and write ``translation.csv`` and ``translation.md`` below ``folder`` after each.

    Args:
        report: Gets the lines to print.
    """
    folder.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written shows before minutes are spent
    rows: list[Row] = []
    for index, case in enumerate(cases, start=1):
        report(f"[{index}/{len(cases)}] {case.name}, {case.input}")
        with settings.applied():
            rows += measure(case, case.formulations, [case.mode], settings, report)
        paths = write_report(rows, environment, folder, "translation")
    report(f"\n{to_text(rows)}\n\nfiles:\n" + "\n".join(f"  {path}" for path in paths))
    return rows
