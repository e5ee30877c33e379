"""Fig. 5 of the paper for any layer, and the gate over the frames of a clip; as PNG and CSV."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from .statistics import GateStatistics

__all__ = ["plot_difference", "plot_over_time", "write_difference", "write_over_time"]

_NAMED = 40  # classes up to which the axes hold names


def write_difference(path: Path, statistics: GateStatistics, names: Sequence[str]) -> None:
    """A row per class: its name, samples and intra-class distance, then the inter-class distance to each class."""
    chosen = [names[label] for label in statistics.labels]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["class", "samples", "intra", *(f"inter to {name}" for name in chosen)])
        for row, name in enumerate(chosen):
            distances = [f"{value:.6g}" for value in (statistics.intra[row], *statistics.inter[row])]
            writer.writerow([name, int(statistics.counts[row]), *distances])


def plot_difference(path: Path, statistics: GateStatistics, names: Sequence[str], title: str) -> None:
    """Inter-class minus intra-class distance as a heat map, rows the class whose intra-class distance is taken away."""
    matrix = statistics.difference.copy()
    np.fill_diagonal(matrix, np.nan)
    count = len(matrix)
    side = 5.0 if count > _NAMED else max(3.0, 0.45 * count)
    figure = Figure(figsize=(side + 4.5, side + 3.0), layout="constrained")
    axes = figure.subplots()
    limit = float(np.nanmax(np.abs(matrix))) or 1.0
    image = axes.imshow(matrix, cmap="RdBu", vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_title(f"{title}\ninter > intra for {statistics.share:.1%} of the pairs", fontsize=10)
    if count <= _NAMED:
        chosen = [names[label] for label in statistics.labels]
        axes.set_xticks(range(count), chosen, rotation=90, fontsize=8)
        axes.set_yticks(range(count), chosen, fontsize=8)
    else:
        axes.set(xlabel="class", ylabel="class")
    figure.colorbar(image, ax=axes, label="inter-class minus intra-class distance", shrink=0.8)
    figure.savefig(path, format="png", dpi=130)


def write_over_time(path: Path, statistics: GateStatistics, names: Sequence[str]) -> None:
    """A row per class and frame: the mean gate, then that of each kernel tap, rows of the kernel one after the other."""
    taps = statistics.over_time.shape[2]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["class", "frame", "mean", *(f"tap {tap}" for tap in range(taps))])
        for label, frames in zip(statistics.labels, statistics.over_time, strict=True):
            for frame, values in enumerate(frames):
                writer.writerow([names[label], frame, *(f"{value:.6g}" for value in (values.mean(), *values))])


def plot_over_time(path: Path, statistics: GateStatistics, names: Sequence[str], title: str) -> None:
    """The mean gate over the frames of a clip, a line per class; beside it each kernel tap's, averaged over the classes."""
    frames = np.arange(statistics.over_time.shape[1])
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for label, values in zip(statistics.labels, statistics.over_time, strict=True):
        left.plot(frames, values.mean(axis=1), marker="o", markersize=3, label=names[label])
    left.set(xlabel="frame", ylabel="mean gate", title="by class")
    left.xaxis.get_major_locator().set_params(integer=True)
    left.grid(alpha=0.3)
    if len(statistics.labels) <= 12:
        left.legend(fontsize=7)
    taps = statistics.over_time.mean(axis=0).T  # (taps, T)
    image = right.imshow(taps, aspect="auto", cmap="viridis", interpolation="nearest")
    right.set(xlabel="frame", ylabel="kernel tap, row by row", title="by kernel tap")
    right.xaxis.get_major_locator().set_params(integer=True)
    figure.colorbar(image, ax=right, label="mean gate")
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, format="png", dpi=130)
