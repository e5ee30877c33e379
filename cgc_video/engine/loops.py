"""Training in epochs that goes on inside an epoch, at the very batch and with the very random numbers that come next."""

from typing import Any

from mmaction.registry import LOOPS
from mmengine.dist import get_world_size
from mmengine.runner import EpochBasedTrainLoop

from ..errors import UserError
from . import random_states

__all__ = ["ResumableEpochLoop"]


@LOOPS.register_module()
class ResumableEpochLoop(EpochBasedTrainLoop):
    """MMEngine's ``EpochBasedTrainLoop``, whose place is kept in checkpoints and taken up again; arguments are the same.

    - Batches that an interrupted epoch has had are left out by the sampler: nothing is decoded for them.
    - Validation draws from random states of its own, so that training does not depend on whether and when it takes place.
    - A checkpoint is written before the validation of its epoch: a run that is resumed from it begins with that validation.

    ``SafeCheckpointHook`` carries ``state_dict`` into checkpoints and out of them.
    """

    _first_iter = 0  # number of the first iteration of this epoch
    _skipped = 0  # batches of the next epoch that have been trained on
    _validation_due = False
    _states: dict[str, Any] | None = None  # to be taken up
    _kept: dict[str, Any] | None = None  # of training, while validation draws from others

    def run(self):
        """Train; returns the model."""
        self.runner.call_hook("before_train")
        self._first_iter = self._iter - self._skipped
        if self._iter:
            self.runner.logger.info(self._going_on())
        if self._validation_due:
            if self._states is not None:  # validation draws, too, and what it saves must be those of training
                random_states.restore(self._states)
            self._validate()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate()
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """One epoch, or what is left of it."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        skipped, self._skipped = self._skipped, 0
        self._first_iter = self._iter - skipped
        if skipped:
            self._skip(skipped)
        batches = iter(self.dataloader)
        if self._states is not None:  # now, before the first batch is asked for, as samples may be made in this process
            random_states.restore(self._states)
            self._states = None
        for index, batch in enumerate(batches, start=skipped) if not self.is_finished() else ():
            self.run_iter(index, batch)
            if self.is_finished():
                break
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1
        self._first_iter = self._iter

    def is_finished(self) -> bool:
        """Whether training ends inside an epoch, which this loop's never does."""
        return False

    def _validate(self) -> None:
        self._decide_current_val_interval()
        due = self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
        if self.runner.val_loop is not None and self._epoch >= self.val_begin and due:
            self._kept = random_states.collect()
            try:
                self.runner.val_loop.run()
            finally:
                random_states.restore(self._kept)
                self._kept = None

    def random_states(self) -> dict[str, Any]:
        """Those that the next batch will be trained with."""
        return self._kept or random_states.collect()

    def state_dict(self, epoch: int, iteration: int) -> dict[str, Any]:
        """Where training stands, for a checkpoint with these numbers of epochs and iterations that are done."""
        inside = iteration - self._first_iter if epoch == self._epoch else 0
        return {
            **self._batches(),
            "batches_done": inside,
            "validated": epoch == self._epoch and not inside,  # else the checkpoint is written behind the last batch
            "sampler_seed": getattr(self._sampler(), "seed", None),
        }

    def load_state_dict(self, state: dict[str, Any], states: dict[str, Any] | None) -> None:
        """Take up training where a checkpoint left it; epoch and iteration are MMEngine's to set.

        Args:
            states: Random states of this process.
        Raises:
            UserError: If it stands inside an epoch whose batches are not those of this run.
        """
        done, now = state["batches_done"], self._batches()
        if done:
            then = {key: state[key] for key in now}
            if then != now:
                raise UserError(
                    f"the checkpoint lies inside an epoch of {_in_words(then)}, and this run has {_in_words(now)}; make them "
                    "equal, or resume from the checkpoint of an epoch's end."
                )
            if not hasattr(self._skipper(), "skip"):
                raise UserError(
                    f"the checkpoint lies inside an epoch, and the sampler {type(self._skipper()).__name__} cannot start there; set "
                    "train_dataloader.sampler.type=ResumableSampler, or resume from the checkpoint of an epoch's end."
                )
        self._skipped, self._states = done, states
        self._validation_due = not (done or state["validated"])
        if state["sampler_seed"] is not None:
            self._sampler().seed = state["sampler_seed"]

    def _going_on(self) -> str:
        if self._validation_due:
            return f"Going on with the validation of epoch {self._epoch}."
        if self._epoch >= self._max_epochs:
            return f"All {self._max_epochs} epochs are done."
        if self._skipped == len(self.dataloader):
            return f"Going on with epoch {self._epoch + 1}, whose batches are done, after iteration {self._iter}."
        where = f"batch {self._skipped + 1} of {len(self.dataloader)}, iteration {self._iter + 1}"
        return f"Going on with epoch {self._epoch + 1} at {where}."

    def _batches(self) -> dict[str, Any]:
        """What the number of a batch means."""
        loader = self.dataloader
        size = loader.batch_size or getattr(loader.batch_sampler, "batch_size", None)
        return {"batches": len(loader), "batch_size": size, "processes": get_world_size()}

    def _skip(self, batches: int) -> None:
        skipper = self._skipper()
        by_batch = skipper is self.dataloader.batch_sampler
        skipper.skip(batches if by_batch else batches * (self.dataloader.batch_size or 1))

    def _skipper(self) -> Any:
        """The batch sampler if it can skip, else the sampler."""
        loader = self.dataloader
        return loader.batch_sampler if hasattr(loader.batch_sampler, "skip") else loader.sampler

    def _sampler(self) -> Any:
        """The sampler that has the seed of the order; a batch sampler may hold it."""
        return getattr(self.dataloader.batch_sampler, "sampler", None) or self.dataloader.sampler


def _in_words(batches: dict[str, Any]) -> str:
    size = f" of {batches['batch_size']}" if batches["batch_size"] else ""
    return f"{batches['batches']} batches{size} on {batches['processes']} process(es)"
