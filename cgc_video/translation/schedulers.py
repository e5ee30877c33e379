"""The learning rate of Sec. 4.4's protocol, which MMEngine does not have.

Source: Vaswani et al., Attention Is All You Need, 2017, Sec. 5.3, as parametrised by fairseq.
"""

from mmaction.registry import PARAM_SCHEDULERS
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import OptimizerType, _ParamScheduler

from ..errors import UserError

__all__ = ["InverseSqrtLR"]


@PARAM_SCHEDULERS.register_module()
class InverseSqrtLR(LRSchedulerMixin, _ParamScheduler):
    """Warms up linearly to the optimizer's rate, then falls with the square root of the step: ``lr * sqrt(warmup /
    step)``.

    Steps are updates, counted from 0 at the first one. A parameter group with a rate of its own warms up from the same
    share of it.

    Args:
        optimizer: Its rate is reached at step ``warmup``.
        warmup: Steps of the warm-up.
        start_lr: Rate of the first step.
        **kwargs: Of MMEngine's schedulers; ``by_epoch`` must be false.
    """

    def __init__(self, optimizer: OptimizerType, warmup: int = 4000, start_lr: float = 1e-7, **kwargs) -> None:
        if warmup < 1:
            raise UserError(f"InverseSqrtLR: warmup ({warmup}) must be at least 1 step; set it in param_scheduler.")
        if kwargs.setdefault("by_epoch", False):
            raise UserError("InverseSqrtLR counts updates: by_epoch (True) must be False; correct param_scheduler.")
        self.warmup = warmup
        self.start_share = start_lr / optimizer.param_groups[0].get("initial_lr", optimizer.param_groups[0]["lr"])
        super().__init__(optimizer, **kwargs)

    def share(self, step: int) -> float:
        """Rate at a step as a share of the optimizer's."""
        if step < self.warmup:
            return self.start_share + (1 - self.start_share) * step / self.warmup
        return (self.warmup / step) ** 0.5

    def _get_value(self) -> list[float]:
        return [base * self.share(self.last_step) for base in self.base_values]
