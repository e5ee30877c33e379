"""Checkpoints that survive: written whole or not at all, also inside an epoch, with all that a run needs to go on."""

import os
import time
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmaction.registry import HOOKS
from mmengine.dist import broadcast_object_list, get_world_size, is_main_process
from mmengine.hooks import CheckpointHook

from ...errors import UserError
from ...models.checkpoints import write_text
from ...models.checkpoints.writing import TEMPORARY
from .resumption import between_updates, check_repeatable, check_same_optimizer, gather_states, load_place, save_place

__all__ = ["INSIDE_EPOCH", "SafeCheckpointHook"]

INSIDE_EPOCH = "inside_epoch.pth"
_CLOCK_INTERVAL = 20  # iterations between two looks at the clock, where processes have to agree on the time


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, with which ``--resume`` goes on as if nothing had happened.

    - A file takes its name once it is complete and on the disk (see ``mmengine_files``); older ones are removed after that.
    - A checkpoint holds the place inside the epoch, the random states of all processes, and gradients that wait for an update.
    - ``inside_epoch.pth`` is written between the ends of epochs, and goes when the checkpoint of the epoch stands.

    Args:
        every_iters: Iterations after which ``inside_epoch.pth`` is written, beside the checkpoints of ``interval``.
        every_minutes: Likewise, minutes since the last checkpoint of either kind.
        Others as in ``CheckpointHook``.
    """

    def __init__(
        self, *args: Any, every_iters: int | None = None, every_minutes: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, value in (("every_iters", every_iters), ("every_minutes", every_minutes)):
            if value is not None and not (isinstance(value, int | float) and value > 0):
                raise UserError(f"default_hooks.checkpoint.{name} ({value}) must be above 0; leave it out for none.")
        self.every_iters, self.every_minutes = every_iters, every_minutes
        self._states: list[dict[str, Any]] = []
        self._waiting = False
        self._last_save = time.monotonic()

    def before_train(self, runner) -> None:
        super().before_train(runner)
        check_repeatable(runner, None if self.by_epoch else self.interval)
        if is_main_process():
            for left in Path(self.out_dir).glob(TEMPORARY.format("*.pth")):  # of a run that was killed while it wrote
                left.unlink(missing_ok=True)
        if self.save_best is not None:
            self._take_up_best(runner)
        self._last_save = time.monotonic()

    def _take_up_best(self, runner) -> None:
        """MMEngine goes by the path of the best checkpoint so far: of a run in another folder it would remove that once a better stands here."""
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = self._in_own_folder(runner, self.best_ckpt_path)
        else:
            found = self.best_ckpt_path_dict.items()
            self.best_ckpt_path_dict = {key: self._in_own_folder(runner, path) for key, path in found}

    def _in_own_folder(self, runner, best: str | None) -> str | None:
        """The best checkpoint by its name in this folder, which may have been moved or copied; None where it is not."""
        if best is None:
            return None
        here = self.file_backend.join_path(self.out_dir, os.path.basename(best))
        if self.file_backend.isfile(here):
            return here
        runner.logger.warning(
            f"The best checkpoint so far, {best}, is not in {self.out_dir}: it is left alone, and one is written here once it is beaten."
        )
        return None

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        save_place(runner, checkpoint, self._states)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        if runner._resume:
            check_same_optimizer(runner, checkpoint)
            load_place(runner, checkpoint)

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        self._waiting = self._waiting or self._is_time(runner)
        if self._waiting and not between_updates(runner):
            meta = {"epoch": runner.epoch, "iter": runner.iter + 1}
            self._write(runner, INSIDE_EPOCH, meta, by_epoch=False)

    def _is_time(self, runner) -> bool:
        if self.every_iters is not None and (runner.iter + 1) % self.every_iters == 0:
            return True
        alone = get_world_size() == 1
        if self.every_minutes is None or not (alone or (runner.iter + 1) % _CLOCK_INTERVAL == 0):
            return False
        verdict = [time.monotonic() - self._last_save >= 60 * self.every_minutes]
        if not alone:
            broadcast_object_list(verdict)
        return verdict[0]

    def _write(self, runner, name: str, meta: dict[str, int], by_epoch: bool) -> None:
        """Write a checkpoint to resume from, then make it the last one."""
        self._states = gather_states(runner)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        options = {"save_optimizer": self.save_optimizer, "save_param_scheduler": self.save_param_scheduler}
        options |= {"meta": meta, "by_epoch": by_epoch, "backend_args": self.backend_args}
        runner.save_checkpoint(self.out_dir, name, self.file_client_args, **options, **self.args)
        if is_main_process():
            write_text(self.last_ckpt, os.path.join(runner.work_dir, "last_checkpoint"))
        self._waiting, self._last_save = False, time.monotonic()

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict[str, int]) -> None:
        """As MMEngine, which removes the oldest checkpoint before it writes the newest."""
        kept: list[int] = []
        if self.max_keep_ckpts > 0:
            kept = [*(known for known in self.keep_ckpt_ids if known != step), step]
            # with the one that goes: a run killed before that removes it when it goes on
            runner.message_hub.update_info("keep_ckpt_ids", kept)
        self._write(runner, self.filename_tmpl.format(step), meta, self.by_epoch)
        stale = kept[: -self.max_keep_ckpts] if kept else []
        if is_main_process():
            for name in [self.filename_tmpl.format(old) for old in stale] + [INSIDE_EPOCH]:
                path = self.file_backend.join_path(self.out_dir, name)
                if self.file_backend.isfile(path):
                    self.file_backend.remove(path)
        if kept:
            self.keep_ckpt_ids = deque(kept[len(stale) :], self.max_keep_ckpts)
            runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))

    def _save_best_checkpoint(self, runner, metrics: dict[str, Any]) -> None:
        with self._removing_last():
            super()._save_best_checkpoint(runner, metrics)

    @contextmanager
    def _removing_last(self):
        """What is removed inside goes at the end, unless it has been written anew: MMEngine removes the best before the better stands."""
        backend, removed = self.file_backend, _Removed(self.file_backend)
        self.file_backend = removed
        try:
            yield
        finally:
            self.file_backend = backend
        written = {getattr(self, "best_ckpt_path", None), *getattr(self, "best_ckpt_path_dict", {}).values()}
        for path in removed.paths:
            if path not in written and backend.isfile(path):
                backend.remove(path)


class _Removed:
    """A file backend that notes what is to be removed."""

    def __init__(self, backend: Any) -> None:
        self._backend, self.paths = backend, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self.paths.append(path)
