"""Training and testing: config options, start-up checks, summary, hooks, and the launch of MMEngine's runner."""

from . import loops, mmengine_files  # noqa: F401  registers the loop, and makes what MMEngine reads and writes safe
from .cli import run_tool
from .config import load_config
from .hooks import CurvesHook, DataTimeHook, PredictionHook, ProgressHook, StartupSummaryHook, TestStatsHook
from .launch import TestResult, test, train

__all__ = [
    "CurvesHook",
    "DataTimeHook",
    "PredictionHook",
    "ProgressHook",
    "StartupSummaryHook",
    "TestResult",
    "TestStatsHook",
    "load_config",
    "run_tool",
    "test",
    "train",
]
