"""Say so when training waits for data."""

from mmaction.registry import HOOKS
from mmengine.hooks import Hook

__all__ = ["DataTimeHook", "data_share"]


def data_share(iteration_seconds: float, data_seconds: float) -> float:
    """Share of an iteration spent waiting for the batch, in 0..1; 0 where nothing was measured."""
    return data_seconds / iteration_seconds if iteration_seconds > 0 else 0.0


@HOOKS.register_module()
class DataTimeHook(Hook):
    """After an epoch that waited for data more than ``limit`` of its time, log one line with a hint."""

    priority = "BELOW_NORMAL"

    def __init__(self, limit: float = 0.5) -> None:
        self.limit = limit
        self.first_iter = 0

    def before_train_epoch(self, runner) -> None:
        self.first_iter = runner.iter

    def after_train_epoch(self, runner) -> None:
        scalars = runner.message_hub.log_scalars
        iterations = runner.iter - self.first_iter
        if iterations < 1 or not {"train/time", "train/data_time"} <= set(scalars):
            return
        seconds = scalars["train/time"].mean(iterations)
        share = data_share(seconds, scalars["train/data_time"].mean(iterations))
        if share > self.limit:
            workers = runner.train_dataloader.num_workers
            runner.logger.info(
                f"{share:.0%} of the time of this epoch ({seconds:.2f} s per iteration) went into waiting for data; "
                f"raise train_dataloader.num_workers (now {workers}), or store smaller videos."
            )
