"""Run the analysis of one layer and write its files."""

from pathlib import Path

from torch.utils.data import DataLoader

from ...datasets.preparation.progress import ProgressLine
from ...engine.trained import TrainedModel
from . import figures
from .kernels import sample_gates
from .statistics import GateStatistics, gate_statistics

__all__ = ["analyse_gates"]


def analyse_gates(
    trained: TrainedModel, layer_name: str, loader: DataLoader, folder: Path
) -> tuple[GateStatistics, list[Path]]:
    """Compare the classes of a data set by what a layer's gate makes of them.

    Args:
        layer_name: A gated layer of the model.
        folder: Where ``gate_distances.{csv,png}`` go, and ``gate_over_time.{csv,png}`` where a gate follows time.

    Returns:
        The statistics, and the files written.
    Raises:
        UserError: If there is no such layer, or fewer than two classes have samples.
    """
    folder.mkdir(parents=True, exist_ok=True)
    passes = iter(("class centres", "distances to them"))

    def samples():
        total = len(loader.dataset)
        with ProgressLine(next(passes), every=1000) as progress:
            for done, sample in enumerate(sample_gates(trained.model, layer_name, loader), start=1):
                yield sample
                progress(done, total)

    statistics = gate_statistics(samples, len(trained.class_names))
    files = [folder / "gate_distances.csv", folder / "gate_distances.png"]
    figures.write_difference(files[0], statistics, trained.class_names)
    figures.plot_difference(files[1], statistics, trained.class_names, layer_name)
    if statistics.over_time.shape[1] > 1:
        files += [folder / "gate_over_time.csv", folder / "gate_over_time.png"]
        figures.write_over_time(files[2], statistics, trained.class_names)
        figures.plot_over_time(files[3], statistics, trained.class_names, layer_name)
    return statistics, files
