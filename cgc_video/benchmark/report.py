"""Rows as a printed table, CSV and Markdown."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from cgc_video.evaluation.tables import text_table

from .run import Row

__all__ = ["to_markdown", "to_text", "write_csv", "write_report"]


def to_text(rows: Sequence[Row]) -> str:
    """One line per row."""
    with_rate = any(row.gflops is not None for row in rows)
    header = ["case", "pass", "formulation", "median ms", "min", "middle half", "ratio"]
    header += (["GFLOP/s"] if with_rate else []) + ["peak MiB", "ratio", "note"]
    lines = []
    for row in rows:
        spread = "-" if row.q25_ms is None else f"{_number(row.q25_ms)} to {_number(row.q75_ms)}"
        cells = [row.case, row.mode, row.formulation, _number(row.median_ms), _number(row.min_ms), spread]
        cells += [_ratio(row.time_ratio)] + ([_number(row.gflops)] if with_rate else [])
        lines.append([*cells, _number(row.peak_mib), _ratio(row.memory_ratio), row.note])
    return text_table(header, lines, left=(0, 1, 2, len(header) - 1))


def to_markdown(rows: Sequence[Row], environment: Mapping[str, str]) -> str:
    """One line per case and measure, one column per formulation: the figure, and in brackets its ratio to ``plain``."""
    formulations = list(dict.fromkeys(row.formulation for row in rows))
    lines = [f"| case | measure | {' | '.join(formulations)} |", "| --- | --- |" + " --- |" * len(formulations)]
    notes = [f"{row.case}, {row.mode}, {row.formulation}: {row.note}." for row in rows if row.note]
    for case, mode in dict.fromkeys((row.case, row.mode) for row in rows):
        own = {row.formulation: row for row in rows if (row.case, row.mode) == (case, mode)}
        times = [_cell(own.get(name), "median_ms", "time_ratio") for name in formulations]
        peaks = [_cell(own.get(name), "peak_mib", "memory_ratio") for name in formulations]
        for measure, cells in ((f"{mode}, ms", times), (f"{mode}, peak MiB", peaks)):
            if any(cell != "-" for cell in cells):
                lines.append(f"| `{case}` | {measure} | {' | '.join(cells)} |")
    lines += ["", *notes, *([""] if notes else []), *(f"- {name}: {value}" for name, value in environment.items())]
    return "\n".join(lines) + "\n"


def write_csv(rows: Sequence[Row], environment: Mapping[str, str], path: Path) -> None:
    """The environment as ``# name: value`` lines, then one line per row with the columns of :class:`Row`."""
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {name}: {value}\n" for name, value in environment.items())
        writer = csv.DictWriter(file, fieldnames=[field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in asdict(row).items()}
            )


def write_report(rows: Sequence[Row], environment: Mapping[str, str], folder: Path, name: str) -> list[Path]:
    """Write ``<name>.csv`` and ``<name>.md``; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    table, text = folder / f"{name}.csv", folder / f"{name}.md"
    write_csv(rows, environment, table)
    text.write_text(to_markdown(rows, environment), encoding="utf-8")
    return [table, text]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.1f}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _cell(row: Row | None, figure: str, ratio: str) -> str:
    if row is None or getattr(row, figure) is None:
        return "-"
    value, factor = getattr(row, figure), getattr(row, ratio)
    return _number(value) + (f" ({factor:.2f})" if factor is not None and row.formulation != "plain" else "")
