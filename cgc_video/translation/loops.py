"""Training for a number of updates, in epochs, with batches whose number is known only once they are cut."""

from mmaction.registry import LOOPS

from ..engine.loops import ResumableEpochLoop
from ..errors import UserError

__all__ = ["UpdateBasedTrainLoop"]


@LOOPS.register_module()
class UpdateBasedTrainLoop(ResumableEpochLoop):
    """Epochs, with checkpoints and validation after each, ended by the update that is number ``max_updates``.

    Args:
        max_updates: Updates in all; the last epoch may be cut short.
        Others as in MMEngine's ``EpochBasedTrainLoop``.
    """

    def __init__(self, runner, dataloader, max_updates: int, max_epochs: int | None = None, **kwargs) -> None:
        if max_epochs is not None:
            raise UserError(
                f"train_cfg.max_epochs ({max_epochs}) is no length of this training; set train_cfg.max_updates."
            )
        if max_updates < 1:
            raise UserError(f"train_cfg.max_updates ({max_updates}) must be at least 1; set it in the config.")
        super().__init__(runner, dataloader, max_epochs=1, **kwargs)
        self._max_iters = int(max_updates)
        self._max_epochs = -(-self._max_iters // len(self.dataloader))

    def is_finished(self) -> bool:
        """Whether the last update is done."""
        return self._iter >= self._max_iters
