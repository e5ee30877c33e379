"""Curves of several runs in one figure, as the paper's Fig. 3: training dashed, validation solid, a colour per run."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from ..errors import UserError

__all__ = ["plot_runs", "read_curves"]

Curve = dict[int, float]  # value by epoch


def read_curves(work_dir: str | Path) -> dict[str, Curve]:
    """The columns of a work dir's ``curves.csv``, by name.

    Raises:
        UserError: If it is missing, or no table of epochs.
    """
    path = Path(work_dir) / "curves.csv"
    if not path.is_file():
        raise UserError(
            f"{path} does not exist; give the work dir of a training, which writes it after its first epoch."
        )
    columns: dict[str, Curve] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                epoch = int(row.pop("epoch"))
                for name, text in row.items():
                    if text:
                        columns.setdefault(name, {})[epoch] = float(text)
    except (KeyError, ValueError, AttributeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no table of curves ({error}); give the work dir of a training.") from error
    if not columns:
        raise UserError(f"{path} holds no epochs yet; wait for the first one.")
    return columns


def plot_runs(
    runs: Mapping[str, Mapping[str, Curve]], path: Path, metrics: Sequence[str] = ("top1", "loss")
) -> list[str]:
    """Draw a panel per metric; accuracies in percent.

    Args:
        runs: Columns by the name of the run.
        metrics: Names without ``train_`` and ``val_``, which are drawn dashed and solid; or columns as they are.

    Returns:
        The columns drawn.
    Raises:
        UserError: If no run has a metric.
    """
    panels = {metric: _columns(runs, metric) for metric in metrics}
    figure = Figure(figsize=(5.5 * len(panels), 4), layout="constrained")
    for axes, (metric, columns) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for number, (name, run) in enumerate(runs.items()):
            for column in (column for column in columns if column in run):
                epochs, values = zip(*sorted(run[column].items()), strict=True)
                share = max(values) <= 1 and "loss" not in column and column != "lr"
                dashed = column.startswith("train_") or column == "loss"
                label = f"{name}, {'training' if dashed else 'validation'}"
                style = {"linestyle": "--" if dashed else "-", "color": f"C{number}", "marker": ".", "label": label}
                axes.plot(epochs, [100 * value if share else value for value in values], **style)
        axes.set(xlabel="epoch", ylabel=f"{metric} (%)" if metric != "loss" else "loss")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, format="png", dpi=130)
    return [column for columns in panels.values() for column in columns]


def _columns(runs: Mapping[str, Mapping[str, Curve]], metric: str) -> list[str]:
    known = list(dict.fromkeys(column for run in runs.values() for column in run))
    found = [column for column in (f"train_{metric}", f"val_{metric}", metric) if column in known]
    if not found:
        names = sorted({column.removeprefix("train_").removeprefix("val_") for column in known})
        raise UserError(f"metric ({metric}) is in no curves.csv; there are {', '.join(names)}.")
    return found
