"""Hooks that watch a run: a loss that cannot be trained on, and files that cannot be decoded."""

from .data_faults import DataFaultsHook
from .loss_guard import LossGuardHook

__all__ = ["DataFaultsHook", "LossGuardHook"]
