"""Metrics, reports and counts, registered for the ``mmaction`` scope."""

from .class_report import ClassReport
from .complexity import count_parameters
from .confusion import class_rows, confusion_matrix, mean_class_accuracy
from .mapped_accuracy import MappedAccuracy
from .scored_clips import ScoredClips

__all__ = [
    "ClassReport",
    "MappedAccuracy",
    "ScoredClips",
    "class_rows",
    "confusion_matrix",
    "count_parameters",
    "mean_class_accuracy",
]
