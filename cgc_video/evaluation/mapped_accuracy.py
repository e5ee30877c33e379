"""Accuracy where the classes of the data are sets of a model's outputs, as ObjectNet's are sets of ImageNet classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from ..errors import UserError

__all__ = ["MappedAccuracy"]


@METRICS.register_module()
class MappedAccuracy(BaseMetric):
    """Top-k accuracy; a sample is right if one of the k best outputs maps to its class.

    The data set's metainfo ``class_map`` lists the outputs of each class. Outputs of no class can be predicted, and are wrong, as in
    Barbu et al., NeurIPS 2019. Returns ``acc/top1``, ... and ``acc/mean1``, the mean of the classes' top-1.

    Args:
        topk: Values of k.
    """

    default_prefix = "acc"

    def __init__(self, topk: Sequence[int] = (1, 5), collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.topk = tuple(topk)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the label of each sample, and how many outputs rank before the first that is right."""
        class_map = (self.dataset_meta or {}).get("class_map")
        if class_map is None:
            raise UserError(
                "MappedAccuracy needs a data set whose metainfo has a class_map, such as ObjectNet; use AccMetric for any other."
            )
        for sample in data_samples:
            scores, label = sample["pred_score"], int(sample["gt_label"])
            best = scores[class_map[label]].max()
            # as "better or NaN": scores of a network that diverged are right nowhere
            self.results.append((label, int((~(scores <= best)).sum())))

    def compute_metrics(self, results: list[tuple[int, int]]) -> dict[str, float]:
        labels, ranks = np.array(results).T
        accuracies = {f"top{k}": float((ranks < k).mean()) for k in self.topk}
        by_class = [(ranks[labels == label] == 0).mean() for label in np.unique(labels)]
        return {**accuracies, "mean1": float(np.mean(by_class))}
