"""Ratios to the plain convolution as grouped bars."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .run import Row

__all__ = ["plot_ratios"]

_COLORS = {"unfold": "#9e9e9e", "grouped": "#5f6f7f", "ours": "#d95f02"}
_OTHER_COLORS = ("#1b9e77", "#7570b3", "#e7298a", "#66a61e", "#e6ab02")
_LONGEST_BAR = 4.0  # times plain; a longer bar is cut there, and its label says how long it is
_MEASURES = (("time_ratio", "time"), ("memory_ratio", "peak memory"))


def plot_ratios(rows: Sequence[Row], environment: Mapping[str, str], path: Path) -> None:
    """One panel per pass and measure, one group of bars per case, a line at ``plain``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [name for name in dict.fromkeys(row.formulation for row in rows) if name != "plain"]
    cases = list(dict.fromkeys(row.case for row in rows))
    modes = list(dict.fromkeys(row.mode for row in rows))
    others = iter(_OTHER_COLORS * len(names))
    colors = {name: _COLORS.get(name) or next(others) for name in names}
    panels = [
        (f"{mode}: {title}", {(row.case, row.formulation): getattr(row, field) for row in rows if row.mode == mode})
        for field, title in _MEASURES
        for mode in modes
        if any(getattr(row, field) is not None and row.formulation != "plain" for row in rows if row.mode == mode)
    ]
    width = max(6.0, 1.2 + 0.32 * len(cases) * (len(names) + 1))
    figure = Figure(figsize=(width, 0.9 + 2.3 * max(1, len(panels))), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, ratios) in zip(figure.subplots(max(1, len(panels)), squeeze=False)[:, 0], panels, strict=False):
        _draw_panel(axes, title, ratios, cases, colors)
    device = environment.get("device", "")
    figure.suptitle(
        f"Ratio to the plain convolution (lower is better)\n{device}, {environment.get('dtype', '')}", fontsize=10
    )
    figure.savefig(path, format="png", dpi=150)


def _draw_panel(axes, title: str, ratios: dict, cases: Sequence[str], colors: Mapping[str, str]) -> None:
    bar = 0.8 / max(1, len(colors))
    for offset, (name, color) in enumerate(colors.items()):
        for index, case in enumerate(cases):
            ratio = ratios.get((case, name))
            if ratio is None:
                continue
            x, height = index + (offset - (len(colors) - 1) / 2) * bar, min(ratio, _LONGEST_BAR)
            axes.bar(x, height, width=0.92 * bar, color=color)
            axes.text(x, height + 0.04, f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}", ha="center", fontsize=7)
        axes.bar(0, 0, color=color, label=name)
    axes.axhline(1, color="black", linewidth=0.8, linestyle="--")
    axes.set_xticks(range(len(cases)), cases, fontsize=8, rotation=20 if len(cases) > 4 else 0)
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_ylim(0, 1.12 * _LONGEST_BAR)
    axes.spines[["top", "right"]].set_visible(False)
    if title == axes.figure.axes[0].get_title(loc="left"):
        axes.legend(fontsize=8, ncols=len(colors), frameon=False, loc="upper right", bbox_to_anchor=(1, 1.22))
