"""Hooks of training and testing, registered for the ``mmaction`` scope."""

from .class_order import ClassOrderHook
from .curves import CurvesHook
from .data_time import DataTimeHook
from .predictions import PredictionHook
from .progress import ProgressHook
from .startup import StartupSummaryHook
from .test_stats import TestStatsHook

__all__ = [
    "ClassOrderHook",
    "CurvesHook",
    "DataTimeHook",
    "PredictionHook",
    "ProgressHook",
    "StartupSummaryHook",
    "TestStatsHook",
]
