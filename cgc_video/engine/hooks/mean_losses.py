"""Losses of several processes as one."""

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import Hook

__all__ = ["MeanLossesHook"]


@HOOKS.register_module()
class MeanLossesHook(Hook):
    """Averages what an iteration gives to log over the processes, so that the log and the curves are those of the whole batch.

    MMEngine logs what the first process has. One small tensor is exchanged per iteration; a single process exchanges none.
    """

    priority = "HIGHEST"  # before RuntimeInfoHook, which notes the values

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None) -> None:
        if not outputs or get_world_size() == 1:
            return
        values = torch.stack(
            [torch.as_tensor(value, dtype=torch.float32).detach().mean() for value in outputs.values()]
        )
        all_reduce(values, "mean")
        outputs.update(zip(outputs, values, strict=True))
