"""The tables of ``tools/analysis/complexity.py`` and ``paper_tables.py``, as text, Markdown or CSV."""

import csv
import io
import textwrap
from collections.abc import Sequence

from ..evaluation.complexity import COUNTING_RULE, Complexity
from ..evaluation.tables import text_table
from .complexity import ModelCount
from .complexity_latency import Latencies

__all__ = ["STYLES", "csv_text", "render_counts", "table"]

STYLES = ("text", "markdown", "csv")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], style: str, left: Sequence[int] = (0,)) -> str:
    """Columns as plain text, or in Markdown; numbers to the right, the columns ``left`` to the left."""
    if style == "text":
        return text_table(header, rows, left)
    rules = ["---" if index in left else "---:" for index in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rules, *rows))


def csv_text(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as CSV, the header first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([header, *rows])
    return buffer.getvalue()


def render_counts(counts: Sequence[ModelCount], style: str, latencies: Latencies | None = None) -> str:
    """Models one after the other, by stage and by part; then side by side, if there are several or they were timed; then the rule.

    Args:
        latencies: Of the same configs.
    """
    if style == "csv":
        return _csv(counts, latencies)
    pieces = [_model(count, style) for count in counts]
    if len(counts) > 1 or latencies is not None:
        pieces.append(_comparison(counts, latencies, style))
    if latencies is not None:
        pieces.append(f"Latency: {latencies.how}.")
    return "\n\n".join([*pieces, textwrap.fill(COUNTING_RULE, 120)]) + "\n"


def _csv(counts: Sequence[ModelCount], latencies: Latencies | None) -> str:
    header = ["config", "stage", "part", "parameters", "multiply_adds"]
    timed: list[list[float]] = [[] for _ in counts]
    if latencies is not None:
        header.append("latency_ms")
        timed = [[value] for value in latencies.milliseconds]
    rows = [
        (count.config, share.stage, share.part, share.parameters, share.macs, *time)
        for count, time in zip(counts, timed, strict=True)
        for share in count.complexity.shares
    ]
    return csv_text(header, rows)


def _model(count: ModelCount, style: str) -> str:
    name = f"`{count.config}`" if style == "markdown" else count.config
    stages = [(stage, *_cells(group), *_cells(group.gates)) for stage, group in count.complexity.by_stage().items()]
    stages.append(("all", *_cells(count.complexity), *_cells(count.complexity.gates)))
    parts = [(part, *_cells(group)) for part, group in count.complexity.by_part().items()]
    header = ("parameters", "multiply-adds (M)")
    by_stage = table(("stage", *header, "gates: parameters", "gates: multiply-adds (M)"), stages, style)
    return f"{name}, {count.view}\n\n{by_stage}\n\n{table(('part', *header), parts, style)}"


def _comparison(counts: Sequence[ModelCount], latencies: Latencies | None, style: str) -> str:
    first = counts[0].complexity
    header = ["config", "parameters", "multiply-adds (M)", "more parameters", "more multiply-adds (M)"]
    rows = []
    for count in counts:
        own = count.complexity
        more = (f"{own.parameters - first.parameters:+,}", _millions(own.macs - first.macs, "+"))
        rows.append([count.config, *_cells(own), *more])
    if latencies is not None:
        header += ["latency (ms)", "ratio"]
        for row, value in zip(rows, latencies.milliseconds, strict=True):
            row += [f"{value:.2f}", f"{value / latencies.milliseconds[0]:.2f}"]
    return table(header, rows, style)


def _cells(complexity: Complexity) -> tuple[str, str]:
    return f"{complexity.parameters:,}", _millions(complexity.macs)


def _millions(macs: int, sign: str = "") -> str:
    return f"{macs / 1e6:{sign},.3f}"
