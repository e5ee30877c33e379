"""Run the cases: check, measure memory, time; one row per case, pass and formulation."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from .memory import PeakMemory, available_bytes, measure_peaks, why_unmeasured
from .settings import Settings
from .step import BenchmarkCase
from .timing import Timing, time_alternately

__all__ = ["MODES", "Row", "measure", "passes"]

MODES = ("inference", "training", "memory")


@dataclass
class Row:
    """One formulation in one pass of one case; ``None`` where something was not measured.

    Args:
        case, input, mode: The case, its input's shape, ``"inference"`` (forward) or ``"training"`` (forward and backward).
        median_ms, min_ms, q25_ms, q75_ms: Milliseconds of a pass.
        time_ratio: Median over that of ``plain``.
        gflops: Operations of the plain convolution per nanosecond, for a layer.
        peak_mib, kept_mib: See :mod:`.memory`.
        memory_ratio: Peak over that of ``plain``.
        note: Why something is missing.
    """

    case: str
    input: str
    mode: str
    formulation: str
    median_ms: float | None = None
    min_ms: float | None = None
    q25_ms: float | None = None
    q75_ms: float | None = None
    time_ratio: float | None = None
    gflops: float | None = None
    peak_mib: float | None = None
    kept_mib: float | None = None
    memory_ratio: float | None = None
    note: str = ""


def passes(modes: Sequence[str]) -> list[str]:
    """The passes that modes name; memory alone is measured for both."""
    return [mode for mode in ("inference", "training") if mode in modes] or ["inference", "training"]


def measure(
    case: BenchmarkCase,
    formulations: Sequence[str],
    modes: Sequence[str],
    settings: Settings,
    report: Callable[[str], None],
) -> list[Row]:
    """Measure a case with ``plain`` and the formulations.

    Memory comes first, in processes of their own, while this one holds nothing. A formulation whose kernels need more memory than
    there is, or that cannot run, gets a note.

    Args:
        report: Gets lines to print as figures come.
    """
    names = list(dict.fromkeys(("plain", *formulations)))
    rows = []
    for mode in passes(modes):
        table = {name: Row(case.name, case.input, mode, name) for name in names}
        training = mode == "training"
        for name, row in table.items():
            row.note = _lack_of_memory(case, name, training, settings)
        if "memory" in modes and why_unmeasured(settings) is None:
            for name, measured in measure_peaks(case, _runnable(table), training, settings).items():
                _add_memory(table[name], measured)
            _add_ratios(table)
            report(f"  {mode}, peak memory: {_list(table, 'peak_mib', 'MiB', 'memory_ratio')}")
        if mode in modes:
            builders = {name: partial(case.step, name, training, settings) for name in _runnable(table)}
            timings, failures = time_alternately(builders, settings)
            for name, timing in timings.items():
                _add_timing(table[name], timing, case.operations(training))
            for name, reason in failures.items():
                table[name].note = reason
            _add_ratios(table)
            report(f"  {mode}, time: {_list(table, 'median_ms', 'ms', 'time_ratio')}")
        for row in table.values():
            if row.note:
                report(f"  {mode}, {row.formulation}: {row.note}")
        rows += table.values()
    return rows


def _runnable(table: dict[str, Row]) -> list[str]:
    return [name for name, row in table.items() if not row.note]


def _lack_of_memory(case: BenchmarkCase, formulation: str, training: bool, settings: Settings) -> str:
    """Why a pass must not be tried: the system would end the process. A GPU refuses by itself."""
    needed, available = case.needed_bytes(formulation, training), available_bytes()
    if settings.on_gpu or available is None or needed <= available:
        return ""
    return f"not run: needs {needed / 2**30:.1f} GiB at least, {available / 2**30:.1f} GiB are free"


def _add_memory(row: Row, measured: PeakMemory | str) -> None:
    if isinstance(measured, str):
        row.note = measured
    else:
        row.peak_mib, row.kept_mib = measured.peak / 2**20, measured.kept / 2**20


def _add_timing(row: Row, timing: Timing, operations: int | None) -> None:
    for name, value in asdict(timing).items():
        setattr(row, name, value)
    if operations is not None:
        row.gflops = operations / timing.median_ms / 1e6


def _add_ratios(table: dict[str, Row]) -> None:
    plain = table["plain"]
    for row in table.values():
        if plain.median_ms and row.median_ms is not None:
            row.time_ratio = row.median_ms / plain.median_ms
        if plain.peak_mib and row.peak_mib is not None:
            row.memory_ratio = row.peak_mib / plain.peak_mib


def _list(table: dict[str, Row], figure: str, unit: str, ratio: str) -> str:
    """``plain 512 ms, ours 563.2 ms (1.10)``."""
    texts = []
    for row in table.values():
        if (value := getattr(row, figure)) is not None:
            factor = (
                "" if row.formulation == "plain" or getattr(row, ratio) is None else f" ({getattr(row, ratio):.2f})"
            )
            texts.append(f"{row.formulation} {value:.4g} {unit}{factor}")
    return ", ".join(texts)
