"""Draw loss and accuracy over epochs."""

from pathlib import Path

from matplotlib.figure import Figure

__all__ = ["draw_curves"]

_LABELS = {"train_top1": "train top-1", "val_top1": "val top-1", "val_top5": "val top-5", "val_mean1": "val mean class"}
_LABELS |= {"val_tags": "val tags"}


def draw_curves(rows: dict[int, dict[str, float]], path: Path) -> None:
    """Write a PNG with the loss beside the accuracies, or BLEU.

    Args:
        rows: For each epoch, counted from 1, any of ``loss``, the accuracies in 0..1, and ``val_bleu`` in 0..100.
        path: The PNG to write; replaced as a whole, so a viewer never sees half a file.
    """
    figure = Figure(figsize=(10, 4), layout="tight")
    left, right = figure.subplots(1, 2)
    _plot(left, rows, "loss", "train loss")
    for column, label in _LABELS.items():
        _plot(right, rows, column, label, percent=True)
    _plot(right, rows, "val_bleu", "val BLEU")
    title, unit = ("BLEU", "BLEU") if any("val_bleu" in row for row in rows.values()) else ("Accuracy", "accuracy (%)")
    left.set(xlabel="epoch", ylabel="loss", title="Training loss")
    right.set(xlabel="epoch", ylabel=unit, title=title, ylim=(-2, 102))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.set_xlim(min(rows) - 0.5, max(rows) + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if axes.lines:
            axes.legend()
    partial = path.with_name(f".{path.name}")
    figure.savefig(partial, format="png", dpi=120)
    partial.replace(path)


def _plot(axes, rows: dict[int, dict[str, float]], column: str, label: str, percent: bool = False) -> None:
    points = [(epoch, row[column]) for epoch, row in sorted(rows.items()) if column in row]
    if points:
        epochs, values = zip(*points, strict=True)
        axes.plot(epochs, [100 * v if percent else v for v in values], marker="o", markersize=3, label=label)
