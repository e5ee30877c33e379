"""The confusion matrix as a picture, legible from a handful to hundreds of classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

__all__ = ["plot_confusion"]

# Cells hold their percentage up to this many classes, and columns their class name; beyond it columns hold the index.
_ANNOTATED, _NAMED_COLUMNS = 20, 40


def plot_confusion(path: Path, matrix: np.ndarray, names: Sequence[str], unit: str = "clip") -> None:
    """Draw rows (true class) as percentages of their samples; a class without clips stays blank.

    The picture grows with the number of classes, so that each row keeps a readable name. Colours follow the square root
    of the percentage: rare confusions stay visible.
    """
    count = len(names)
    clips = matrix.sum(axis=1, keepdims=True)
    percent = np.divide(100.0 * matrix, clips, out=np.full(matrix.shape, np.nan), where=clips > 0)
    font, cell = (9, 0.5) if count <= _ANNOTATED else (7, 0.22) if count <= _NAMED_COLUMNS else (5, 0.09)
    labels = [_short(name, 45) for name in names]
    rows = labels if count <= _NAMED_COLUMNS else [f"{label}  {i}" for i, label in enumerate(labels)]
    columns = labels if count <= _NAMED_COLUMNS else [str(i) for i in range(count)]
    side = max(3.0, count * cell)
    axes, bar = _lay_out(side, left=_text_inches(rows, font) + 0.5, above=_text_inches(columns, font) + 0.4)
    norm = PowerNorm(gamma=0.5, vmin=0, vmax=100)
    image = axes.imshow(percent, cmap="Blues", norm=norm, interpolation="nearest", aspect="auto")
    axes.set_xticks(range(count), columns, rotation=90, fontsize=font)
    axes.set_yticks(range(count), rows, fontsize=font)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.figure.colorbar(image, cax=bar, ticks=[0, 1, 5, 10, 25, 50, 75, 100])
    bar.set_ylabel(f"% of the {unit}s of the true class", fontsize=8)
    bar.tick_params(labelsize=8)
    if count <= _ANNOTATED:
        _annotate(axes, percent, font)
    axes.figure.savefig(path, format="png", dpi=150)


def _lay_out(side: float, left: float, above: float) -> tuple[Axes, Axes]:
    """A square of ``side`` inches with room for names, and a colour bar, placed by hand: automatic layout is slow."""
    right, below = 1.2, 0.4
    width, height = left + side + right, above + side + below
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((left / width, below / height, side / width, side / height))
    bar_height = min(side, 5.0)
    bottom = below + side - bar_height
    bar = figure.add_axes(((left + side + 0.2) / width, bottom / height, 0.2 / width, bar_height / height))
    return axes, bar


def _text_inches(texts: Sequence[str], font: float) -> float:
    """Length of the longest text; the letters of the default font are about 0.6 em wide."""
    return max(map(len, texts)) * 0.6 * font / 72


def _annotate(axes: Axes, percent: np.ndarray, font: float) -> None:
    for (row, column), value in np.ndenumerate(percent):
        if np.isfinite(value) and value > 0:
            color = "white" if value > 30 else "black"
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=font, color=color)


def _short(name: str, limit: int) -> str:
    return name if len(name) <= limit else name[: limit - 3] + "..."
