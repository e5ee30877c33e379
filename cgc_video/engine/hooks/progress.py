"""A sign of life with the remaining time, however slow an iteration is."""

import time
from datetime import timedelta

from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook

__all__ = ["ProgressHook"]


@HOOKS.register_module()
class ProgressHook(Hook):
    """Logs position and remaining time when ``seconds`` have passed since it last did.

    MMEngine's ``LoggerHook`` counts iterations, so on a slow machine it may be silent for minutes.
    """

    priority = "BELOW_NORMAL"

    def __init__(self, seconds: float = 20.0) -> None:
        self.seconds = seconds
        self._last = 0.0

    def _before_epoch(self, runner, mode: str = "train") -> None:
        self._last = time.monotonic()

    @master_only
    def _after_iter(self, runner, batch_idx: int, data_batch=None, outputs=None, mode: str = "train") -> None:
        now = time.monotonic()
        if now - self._last < self.seconds:
            return
        self._last = now
        total = len(getattr(runner, f"{mode}_dataloader"))
        epoch = f" {runner.epoch + 1}" if mode == "train" else ""
        left = timedelta(seconds=int(runner.message_hub.runtime_info.get("eta", 0)))
        runner.logger.info(f"{mode}{epoch}: {batch_idx + 1} of {total} batches, {left} left")
