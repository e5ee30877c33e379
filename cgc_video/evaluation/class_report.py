"""Per-class results of a validation or test, as a metric."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ..datasets.lists import read_classes
from .confusion import class_rows, confusion_matrix, mean_class_accuracy
from .plots import plot_confusion
from .tables import class_table, write_class_csv, write_confusion_csv

__all__ = ["ClassReport"]


@METRICS.register_module()
class ClassReport(BaseMetric):
    """Writes ``<file_prefix>per_class.csv``, ``confusion_matrix.csv`` and ``confusion_matrix.png`` to ``out_dir``.

    Use it beside MMAction2's ``AccMetric``. It returns ``report/clips``, the samples counted, and
    ``report/mean_class_accuracy``, the mean over the classes that have clips. ``AccMetric``'s ``mean1`` also counts
    classes that have no clip but were predicted, as zero; with a clip of every class the two are equal.

    Args:
        out_dir: Folder for the files; None writes none. The tools set ``<work_dir>/eval``.
        class_names: Names in label order, or the path of a ``classes.txt``; by default those of the data set's
            ``metainfo``, else the indices.
        log_table: Whether to log the per-class table.
        unit: What a sample is, in the table and the picture: ``"clip"`` or ``"image"``.
    """

    default_prefix = "report"

    def __init__(
        self,
        out_dir: str | None = None,
        file_prefix: str = "",
        class_names: Sequence[str] | str | None = None,
        log_table: bool = True,
        unit: str = "clip",
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.out_dir = None if out_dir is None else Path(out_dir)
        self.file_prefix = file_prefix
        self.class_names = class_names
        self.log_table, self.unit = log_table, unit
        self.matrix: np.ndarray | None = None
        self._size = 0

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep label, prediction and number of classes of each sample."""
        for sample in data_samples:
            scores, label = sample["pred_score"], sample["gt_label"]
            if label.numel() != 1:
                raise ValueError(f"gt_label ({label.tolist()}) must hold one label; there is no multi-label table.")
            self.results.append((int(label), int(torch.argmax(scores)), int(scores.numel())))

    def evaluate(self, size: int) -> dict:
        self._size = size
        return super().evaluate(size)

    def compute_metrics(self, results: list[tuple[int, int, int]]) -> dict[str, float]:
        if len(results) != self._size:
            raise RuntimeError(
                f"{len(results)} samples were evaluated, but the data set holds {self._size}; a result over another "
                "number of clips would not be comparable, so none is given."
            )
        labels, predictions, counts = zip(*results, strict=True)
        num_classes = max(counts)
        names = self._names(num_classes)
        self.matrix = confusion_matrix(labels, predictions, num_classes)
        rows = class_rows(self.matrix, names)
        if self.log_table:
            print_log("\n" + class_table(rows, self.unit), logger="current")
        if self.out_dir is not None:
            self.out_dir.mkdir(parents=True, exist_ok=True)
            write_class_csv(self.out_dir / f"{self.file_prefix}per_class.csv", rows)
            write_confusion_csv(self.out_dir / f"{self.file_prefix}confusion_matrix.csv", self.matrix, names)
            picture = self.out_dir / f"{self.file_prefix}confusion_matrix.png"
            plot_confusion(picture, self.matrix, names, self.unit)
        return {"clips": len(results), "mean_class_accuracy": mean_class_accuracy(self.matrix)}

    def _names(self, num_classes: int) -> list[str]:
        names = (self.dataset_meta or {}).get("classes") or self.class_names
        if isinstance(names, str):
            names = read_classes(names)
        if names is None:
            return [str(index) for index in range(num_classes)]
        if len(names) != num_classes:
            print_log(f"{len(names)} class names for {num_classes} classes: indices are shown.", logger="current")
            return [str(index) for index in range(num_classes)]
        return list(names)
