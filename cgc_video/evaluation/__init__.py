"""Metrics, reports and counts, registered for the ``mmaction`` scope."""

from .class_report import ClassReport
from .complexity import count_parameters
from .confusion import class_rows, confusion_matrix, mean_class_accuracy

__all__ = ["ClassReport", "class_rows", "confusion_matrix", "count_parameters", "mean_class_accuracy"]
