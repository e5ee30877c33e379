"""Hooks of training and testing, registered for the ``mmaction`` scope."""

from .checkpoints import SafeCheckpointHook
from .class_order import ClassOrderHook
from .curves import CurvesHook
from .data_time import DataTimeHook
from .mean_losses import MeanLossesHook
from .predictions import PredictionHook
from .progress import ProgressHook
from .startup import StartupSummaryHook
from .test_stats import TestStatsHook

__all__ = [
    "ClassOrderHook",
    "CurvesHook",
    "DataTimeHook",
    "MeanLossesHook",
    "PredictionHook",
    "ProgressHook",
    "SafeCheckpointHook",
    "StartupSummaryHook",
    "TestStatsHook",
]
