"""A whole run of a tool: checks, cases one by one, tables after each, and a figure."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .check import check_formulations, check_op
from .layer_cases import LayerCase
from .memory import why_unmeasured
from .plots import plot_ratios
from .report import to_text, write_report
from .run import Row, measure
from .settings import Settings
from .step import BenchmarkCase

__all__ = ["run_cases"]


def run_cases(
    cases: Sequence[BenchmarkCase],
    layers: Sequence[LayerCase],
    formulations: Sequence[str],
    modes: Sequence[str],
    settings: Settings,
    environment: Mapping[str, str],
    folder: Path,
    name: str,
    report: Callable[[str], None],
    finish: Callable[[list[Row]], list[Row]] = lambda rows: rows,
) -> list[Row]:
    """Check, then measure every case, and write the tables after each, so that a run that is cut off leaves what it has.

    Args:
        layers: On their shapes the formulations must agree.
        environment: Head of the files.
        folder, name: The files are ``<folder>/<name>.csv``, ``.md`` and ``.png``.
        report: Gets the lines to print.
        finish: Adds rows that follow from the measured ones, once all cases are done.

    Raises:
        UserError: If a check fails.
    """
    folder.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written shows before minutes are spent
    with settings.applied():
        report(f"gated_conv2d matches its reference in {check_op(settings)} cases.")
        if compared := check_formulations(layers, formulations, settings):
            report(f"The formulations agree on {compared} layer shapes.")
    if "memory" in modes and (reason := why_unmeasured(settings)):
        report(reason)
    rows: list[Row] = []
    for index, case in enumerate(cases, start=1):
        report(f"[{index}/{len(cases)}] {case.name}, input {case.input}")
        with settings.applied():
            rows += measure(case, formulations, modes, settings, report)
        write_report(rows, environment, folder, name)
    rows = finish(rows)
    paths = [*write_report(rows, environment, folder, name), folder / f"{name}.png"]
    plot_ratios(rows, environment, paths[-1])
    report(f"\n{to_text(rows)}\n\nfiles:\n" + "\n".join(f"  {path}" for path in paths))
    return rows
