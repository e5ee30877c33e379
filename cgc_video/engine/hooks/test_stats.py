"""Count what a test really processed: clips, views per clip, seconds."""

import time

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce
from mmengine.hooks import Hook

from ...models.lazy_views import batch_samples

__all__ = ["TestStatsHook", "views_per_clip"]


def views_per_clip(shape: tuple[int, ...], num_segments: int) -> int:
    """Views (clips x crops) in one packed sample.

    Args:
        shape: ``(views * T, C, H, W)`` for a 2D recognizer, ``(views, C, T, H, W)`` for a 3D one, ``(C, H, W)`` for an image.
        num_segments: Frames per view of a 2D recognizer.
    """
    if len(shape) == 3:
        return 1
    return shape[0] if len(shape) == 5 else max(1, shape[0] // max(1, num_segments))


@HOOKS.register_module()
class TestStatsHook(Hook):
    """Keeps ``clips``, ``views`` and ``seconds`` of the last test as attributes.

    Args:
        num_segments: Frames per view, for 2D recognizers.
    """

    __test__ = False  # the name looks like a test class to pytest
    priority = "VERY_HIGH"

    def __init__(self, num_segments: int = 1) -> None:
        self.num_segments = num_segments
        self.clips, self.views, self.seconds = 0, 0, 0.0
        self._start = 0.0

    def before_test_epoch(self, runner) -> None:
        self.clips, self.views, self._start = 0, 0, time.perf_counter()

    def before_test_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        if "inputs" not in data_batch:  # no pictures, and so no views of them
            self.clips, self.views = self.clips + len(data_batch["data_samples"]), 1
            return
        inputs = batch_samples(data_batch["inputs"])
        self.clips += len(inputs)
        if not self.views:
            self.views = views_per_clip(tuple(inputs[0].shape), self.num_segments)

    def after_test_epoch(self, runner, metrics=None) -> None:
        self.seconds = time.perf_counter() - self._start
        if runner.distributed:  # a sampler pads the last round, so the total is bounded by the data set
            device = next(runner.model.parameters()).device
            total = torch.tensor(self.clips, device=device)
            all_reduce(total)
            self.clips = min(int(total), len(runner.test_dataloader.dataset))
