"""Training for a number of updates, in epochs, with batches whose number is known only once they are cut."""

from mmaction.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop

from ..errors import UserError

__all__ = ["UpdateBasedTrainLoop"]


@LOOPS.register_module()
class UpdateBasedTrainLoop(EpochBasedTrainLoop):
    """MMEngine's epochs, with checkpoints and validation after each, ended by the update that is number
    ``max_updates``.

    A run that is resumed from a checkpoint inside an epoch goes on with the batch behind it.

    Args:
        max_updates: Updates in all; the last epoch may be cut short.
        Others as in ``EpochBasedTrainLoop``.
    """

    def __init__(self, runner, dataloader, max_updates: int, **kwargs) -> None:
        if max_updates < 1:
            raise UserError(f"train_cfg.max_updates ({max_updates}) must be at least 1; set it in the config.")
        super().__init__(runner, dataloader, max_epochs=1, **kwargs)
        self._max_iters = int(max_updates)
        self._max_epochs = -(-self._max_iters // len(self.dataloader))

    def run_epoch(self) -> None:
        """One epoch, or what is left of it and of the updates."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        done = self._iter - self._epoch * len(self.dataloader)
        sampler = self.dataloader.batch_sampler
        if done > 0 and hasattr(sampler, "skip"):
            sampler.skip(done)
        else:
            done = 0
        for index, batch in enumerate(self.dataloader, start=done):
            self.run_iter(index, batch)
            if self._iter >= self._max_iters:
                break
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1
