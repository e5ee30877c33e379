"""Say so when training waits for data."""

import os
import shutil

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

__all__ = ["DataTimeHook", "advice", "batch_bytes"]


@HOOKS.register_module()
class DataTimeHook(Hook):
    """Measure the share of time spent waiting for batches at the start of training, and say what to change if it is large.

    Args:
        limit: Share of the time above which a line is logged.
        iterations: How many iterations are measured, after the first one, in which workers and caches start.
    """

    priority = "BELOW_NORMAL"  # after IterTimerHook has measured

    def __init__(self, limit: float = 0.2, iterations: int = 20) -> None:
        self.limit, self.iterations = limit, iterations

    def before_train(self, runner) -> None:
        self.seconds = self.waited = 0.0
        self.left = self.iterations + 1
        self.batch_bytes = 0

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        if self.left <= 0:
            return
        self.left -= 1
        scalars = runner.message_hub.log_scalars
        if batch_idx == 0 or not {"train/time", "train/data_time"} <= set(scalars):
            self.batch_bytes = max(self.batch_bytes, batch_bytes(data_batch))
            return
        self.seconds += scalars["train/time"].current()
        self.waited += scalars["train/data_time"].current()
        if self.left == 0:
            self._report(runner)

    def after_train_epoch(self, runner) -> None:
        if self.left > 0:  # an epoch shorter than what was to be measured
            self.left = 0
            self._report(runner)

    def _report(self, runner) -> None:
        share = self.waited / self.seconds if self.seconds else 0.0
        if share > self.limit:
            loader = runner.train_dataloader
            decodes = _decodes_video(loader.dataset)
            what = advice(loader.num_workers, loader.prefetch_factor, self.batch_bytes, decodes)
            runner.logger.info(f"{share:.0%} of the first iterations' time went into waiting for data: {what}.")


def advice(workers: int, prefetch_factor: int | None, size: int, decodes_video: bool | None) -> str:
    """What to change so that training waits less for its data.

    Args:
        workers: Loader processes.
        prefetch_factor: Batches that each of them prepares ahead.
        size: Bytes of a batch.
        decodes_video: Whether frames come out of videos; None where there are none.
    """
    ahead, shared = workers * (prefetch_factor or 0) * size, _shared_memory()
    if shared is not None and ahead > shared:
        return (
            f"/dev/shm ({shared / 2**20:.0f} MiB free) is too small for the {ahead / 2**20:.0f} MiB that the workers prepare ahead; "
            "enlarge it (docker: --shm-size), or lower train_dataloader.prefetch_factor"
        )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers < cores - 1:
        return f"raise train_dataloader.num_workers ({workers}) towards the {cores} cores"
    if decodes_video is None:
        return f"all {cores} cores prepare batches"
    if decodes_video:
        return f"all {cores} cores decode; re-encode the videos once (tools/data/reencode.py), or train on raw frames"
    return f"all {cores} cores load frames; store them smaller (short side 256), on a faster disk"


def batch_bytes(batch) -> int:
    """Bytes of all tensors in a batch of nested dicts and lists."""
    if isinstance(batch, torch.Tensor):
        return batch.numel() * batch.element_size()
    values = batch.values() if isinstance(batch, dict) else batch if isinstance(batch, list | tuple) else ()
    return sum(batch_bytes(value) for value in values)


def _shared_memory() -> int | None:
    try:
        return shutil.disk_usage("/dev/shm").free
    except OSError:
        return None


def _decodes_video(dataset) -> bool | None:
    if not hasattr(dataset, "pipeline"):
        return None
    transforms = getattr(getattr(dataset, "pipeline", None), "transforms", [])
    names = {type(transform).__name__ for transform in transforms}
    return any("Decode" in name and "Frame" not in name for name in names)
