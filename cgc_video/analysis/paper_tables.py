"""Parameters and multiply-adds of the paper's models, ours beside the paper's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..engine.config import load_config
from ..evaluation.complexity import count_complexity
from .complexity import build_model, record_view, view_shape
from .paper_tables_rows import PAPER_ROWS, TITLES, PaperRow
from .paper_tables_rule import count_by_paper_rule

__all__ = ["Counts", "RowCount", "count_tables"]

_CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@dataclass(frozen=True)
class Counts:
    """Of a model: parameters, multiply-adds by our rule and by the paper's, and the shape of the view."""

    parameters: int
    macs: int
    macs_by_paper_rule: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class RowCount:
    """A row of the paper with our counts of its model and of the one that its delta is counted from."""

    row: PaperRow
    own: Counts | None
    base: Counts | None

    @property
    def delta_macs(self) -> int | None:
        """Multiply-adds more than the base, by our rule."""
        return None if self.own is None or self.base is None else self.own.macs - self.base.macs

    @property
    def delta_by_paper_rule(self) -> float | None:
        """The same in millions by the paper's rule, whose totals are cut to 0.001 M."""
        if self.own is None or self.base is None:
            return None
        return (self.own.macs_by_paper_rule // 1000 - self.base.macs_by_paper_rule // 1000) / 1000

    def differences(self) -> list[str]:
        """What differs from the paper at the paper's decimals: ``parameters``, ``delta``."""
        found = []
        if self.own is not None and _rounded(self.own.parameters / 1e6, self.row.parameters) != self.row.parameters:
            found.append("parameters")
        if self.own is not None and _rounded(self.delta_by_paper_rule, self.row.delta) != self.row.delta:
            found.append("delta")
        return found


def count_tables(tables: Sequence[str] = tuple(TITLES)) -> list[RowCount]:
    """Count the models of some of the paper's tables, row by row; configs of one model are counted once.

    Args:
        tables: Keys of ``TITLES``.
    """
    counted: dict[str, Counts] = {}

    def count(config: str | None) -> Counts | None:
        if config is None:
            return None
        cfg = load_config(str(_CONFIGS / f"{config}.py"))
        parts = {key: cfg.model.get(key) for key in ("type", "backbone", "cls_head")}
        model = json.dumps(parts, sort_keys=True, default=str)
        if model not in counted:
            counted[model] = _count(cfg)
        return counted[model]

    rows = [row for row in PAPER_ROWS if row.table in tables]
    return [RowCount(row, count(row.config), count(row.base)) for row in rows]


def _count(cfg) -> Counts:
    model = build_model(cfg, "meta")
    shape = view_shape(cfg, model)
    calls = record_view(model, shape)
    complexity = count_complexity(model, calls)
    return Counts(complexity.parameters, complexity.macs, count_by_paper_rule(model, calls), shape)


def _rounded(value: float | None, like: str | None) -> str | None:
    """A number with as many decimals as the paper's."""
    if value is None or like is None:
        return like
    return f"{value:.{len(like.partition('.')[2])}f}"
