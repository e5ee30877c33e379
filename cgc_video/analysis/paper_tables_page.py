"""The page that ``tools/analysis/paper_tables.py`` prints, as text, Markdown or CSV."""

import textwrap
from collections.abc import Sequence

from ..evaluation.complexity import COUNTING_RULE
from .complexity_tables import csv_text, table
from .marked_place import fill_place
from .paper_tables import RowCount
from .paper_tables_rows import TITLES
from .paper_tables_rule import PAPER_RULE

__all__ = ["embed_tables", "render_page", "render_table"]

_COLUMNS = ("model", "config", "parameters (M)", "paper", "multiply-adds (M)", "delta (M)")
_PAPER_COLUMNS = ("delta by the paper's rule (M)", "paper")
_HEADING = """\
# The paper's models, counted

Made by `python tools/analysis/paper_tables.py --markdown --output docs/paper_tables.md --embed README.md`; counts do not depend on the hardware."""


def render_page(results: Sequence[RowCount], style: str) -> str:
    """The rules, then table by table with notes on what differs; a row per model in CSV."""
    if style == "csv":
        return _csv(results)
    built = [result for result in results if result.own is not None]
    differing = [result for result in built if result.differences()]
    texts = [
        f"{len(built)} rows are built. {len(differing)} of them differ from the paper at its own decimals; the last column says in what.",
        f"Our rule. {COUNTING_RULE}",
        f"The paper's rule, reconstructed. {PAPER_RULE}",
    ]
    texts = [textwrap.fill(text, 120) for text in texts] if style == "text" else [_HEADING, *texts]
    tables = [render_table(results, key, style) for key in TITLES if any(result.row.table == key for result in results)]
    return "\n\n".join([*texts, *tables]) + "\n"


def embed_tables(document: str, results: Sequence[RowCount], name: str = "the document") -> str:
    """Put the tables, each folded under its title, between the two marks of a Markdown document.

    Args:
        name: Of the document, for the message.

    Raises:
        UserError: If the document does not hold the marks once each, in order.
    """
    folded = []
    for key in TITLES:
        if any(result.row.table == key for result in results):
            body = render_table(results, key, "markdown").removeprefix(f"## {TITLES[key]}\n\n")
            folded.append(f"<details><summary>{TITLES[key]}</summary>\n\n{body}\n\n</details>")
    return fill_place(document, "paper tables", "\n\n".join(folded), name)


def render_table(results: Sequence[RowCount], key: str, style: str) -> str:
    """One of the paper's tables under its title."""
    own = [result for result in results if result.row.table == key]
    with_paper_delta = any(result.row.delta for result in own)
    header = (*_COLUMNS, *(_PAPER_COLUMNS if with_paper_delta else ()), "differs")
    rows = [_cells(result, style, with_paper_delta) for result in own]
    title = TITLES[key] if style == "text" else f"## {TITLES[key]}"
    return "\n\n".join([title, table(header, rows, style, left=(0, 1, len(header) - 1)), *_notes(own, style)])


def _cells(result: RowCount, style: str, with_paper_delta: bool) -> tuple[str, ...]:
    row, own = result.row, result.own
    if own is None:
        ours = ("", "", row.parameters or "", "", "")
    else:
        config = f"`{row.config}`" if style == "markdown" else f"{row.config}"
        delta = "" if result.delta_macs is None else f"{result.delta_macs / 1e6:,.3f}"
        ours = (config, f"{own.parameters / 1e6:.6f}", row.parameters or "", f"{own.macs / 1e6:,.1f}", delta)
    theirs = ("" if result.delta_by_paper_rule is None else f"{result.delta_by_paper_rule:,.3f}", row.delta or "")
    verdict = "not built" if own is None else ", ".join(result.differences())
    return row.model, *ours, *(theirs if with_paper_delta else ()), verdict


def _notes(results: Sequence[RowCount], style: str) -> list[str]:
    """Notes, those of several rows once; and the totals beside what the paper says of them."""
    models: dict[str, list[str]] = {}
    for result in results:
        note = result.row.note
        if result.row.total is not None and result.own is not None:
            by_paper_rule, ours = result.own.macs_by_paper_rule / 1e6, result.own.macs / 1e6
            note = f"{result.row.total} in the paper; {by_paper_rule:,.1f} M by its rule, {ours:,.1f} M by ours."
        if note:
            models.setdefault(note, []).append(result.row.model)
    lines = [f"- {'; '.join(names)}: {note}" for note, names in models.items()]
    if style == "text":
        lines = [textwrap.fill(line, 120, subsequent_indent="  ") for line in lines]
    return ["\n".join(lines)] if lines else []


def _csv(results: Sequence[RowCount]) -> str:
    header = (
        *(
            "table",
            "model",
            "config",
            "parameters",
            "parameters_paper_millions",
            "multiply_adds",
            "delta_multiply_adds",
        ),
        *("delta_by_paper_rule_millions", "delta_paper_millions", "differs", "note"),
    )
    rows = []
    for result in results:
        row, own = result.row, result.own
        ours = ("", "") if own is None else (own.parameters, own.macs)
        verdict = "not built" if own is None else " ".join(result.differences())
        values = (ours[0], row.parameters, ours[1], result.delta_macs, result.delta_by_paper_rule, row.delta)
        rows.append((row.table, row.model, row.config, *values, verdict, row.note))
    return csv_text(header, rows)
