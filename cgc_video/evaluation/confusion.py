"""Confusion matrix and per-class accuracy, as functions on arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["ClassRow", "class_rows", "confusion_matrix", "mean_class_accuracy"]


@dataclass(frozen=True)
class ClassRow:
    """Result of one class.

    Attributes:
        top1: Share of its clips that were predicted right, in 0..1; None where the class has no clip.
        confused_with: The wrong class predicted most often for its clips, or None where there was none.
    """

    index: int
    name: str
    clips: int
    correct: int
    top1: float | None
    confused_with: str | None
    confused_clips: int


def confusion_matrix(labels: Sequence[int], predictions: Sequence[int], num_classes: int) -> np.ndarray:
    """Count pairs of true and predicted class.

    Returns:
        ``(num_classes, num_classes)`` int64; row: true class, column: predicted class.
    Raises:
        ValueError: If the lengths differ or an index lies outside ``0..num_classes - 1``.
    """
    true, predicted = np.asarray(labels, dtype=np.int64), np.asarray(predictions, dtype=np.int64)
    if true.shape != predicted.shape:
        raise ValueError(f"labels ({true.size}) and predictions ({predicted.size}) must be of one length.")
    for name, values in (("labels", true), ("predictions", predicted)):
        if values.size and (values.min() < 0 or values.max() >= num_classes):
            outside = values.max() if values.max() >= num_classes else values.min()
            raise ValueError(f"{name} hold {outside}, which must be in 0..{num_classes - 1}; set num_classes to match.")
    return np.bincount(true * num_classes + predicted, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_rows(matrix: np.ndarray, names: Sequence[str]) -> list[ClassRow]:
    """One row per class, in the order of the matrix."""
    rows = []
    for index, counts in enumerate(matrix):
        clips, correct = int(counts.sum()), int(counts[index])
        wrong = counts.copy()
        wrong[index] = 0
        most = int(wrong.argmax())
        confused = names[most] if wrong[most] else None
        top1 = correct / clips if clips else None
        rows.append(ClassRow(index, names[index], clips, correct, top1, confused, int(wrong[most])))
    return rows


def mean_class_accuracy(matrix: np.ndarray) -> float:
    """Mean of the per-class accuracies over the classes that have clips; NaN where none has."""
    clips = matrix.sum(axis=1)
    present = clips > 0
    return float((np.diag(matrix)[present] / clips[present]).mean()) if present.any() else float("nan")
