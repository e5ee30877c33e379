"""Write and print per-class results and the confusion matrix."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .confusion import ClassRow

__all__ = ["class_table", "text_table", "write_class_csv", "write_confusion_csv"]

# Beyond this many classes only the worst are printed.
_PRINTED_CLASSES, _WORST = 40, 15


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """Plain-text columns, numbers to the right; ``left`` are the columns that hold text."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        padded = enumerate(zip(row, widths, strict=True))
        cells = (cell.ljust(width) if i in left else cell.rjust(width) for i, (cell, width) in padded)
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), line(["-" * w for w in widths]), *(line(row) for row in rows)])


def class_table(rows: Sequence[ClassRow], unit: str = "clip") -> str:
    """Name, clips (or what ``unit`` says), top-1 and the most frequent confusion; of more than 40 classes the 15 worst."""
    shown = list(rows)
    title = "Per-class results"
    if len(shown) > _PRINTED_CLASSES:
        tested = [row for row in shown if row.top1 is not None]
        shown = sorted(tested, key=lambda row: (row.top1, -row.clips))[:_WORST]
        title = f"Per-class results, the {len(shown)} worst of {len(rows)} classes (all are in the CSV)"
    cells = [
        (
            _short(row.name),
            str(row.clips),
            "-" if row.top1 is None else f"{100 * row.top1:.1f}",
            "-" if row.confused_with is None else f"{_short(row.confused_with)} ({row.confused_clips})",
        )
        for row in shown
    ]
    return f"{title}\n" + text_table(("class", f"{unit}s", "top-1 %", "most confused with"), cells, left=(0, 3))


def write_class_csv(path: Path, rows: Sequence[ClassRow]) -> None:
    """One line per class, all classes."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["index", "class", "clips", "correct", "top1", "confused_with", "confused_clips"])
        for row in rows:
            top1 = "" if row.top1 is None else f"{row.top1:.6f}"
            writer.writerow(
                [row.index, row.name, row.clips, row.correct, top1, row.confused_with or "", row.confused_clips]
            )


def write_confusion_csv(path: Path, matrix: np.ndarray, names: Sequence[str]) -> None:
    """Counts with a name before each row (true class) and above each column (predicted class)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["true \\ predicted", *names])
        writer.writerows([name, *map(int, counts)] for name, counts in zip(names, matrix, strict=True))


def _short(name: str, limit: int = 50) -> str:
    return name if len(name) <= limit else name[: limit - 3] + "..."
