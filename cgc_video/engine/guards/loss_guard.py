"""Stop a training, or leave a step out, where the loss or its gradients cannot be trained on; count overflows of mixed precision.

The check stands between backward and the optimizer's step: later the weights would be spoilt, earlier a GPU would have to wait.
"""

import functools
import json
import logging
import math
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from torch import Tensor

from ...errors import UserError
from .batch_names import some_names
from .step_faults import StepFault, find_faults, gradient_norm

__all__ = ["LossGuardHook"]

SKIPPED, OVERFLOWS = "skipped_steps", "overflow_steps"  # in the message hub, and so in checkpoints
_RECORD = "bad_steps.jsonl"


@HOOKS.register_module()
class LossGuardHook(Hook):
    """Looks at the loss and the gradients before each step of the optimizer.

    A step is bad if on any rank the loss is not a finite number, or is beyond ``max_loss``, or the norm of the gradients is not finite. In
    mixed precision the gradients are left to the scaler, which leaves a step out where they overflow, and lowers its scale: such steps are
    counted, as ``overflow_steps`` in the log. All ranks agree on each step, by one small reduction.

    A bad step is told with its iteration, learning rate and the samples of its batch (of the batches, where gradients accumulate).
    Then the training stops, or, with ``action="skip"``, goes on without it: weights, optimizer and the statistics of norms stay as they
    were, and its loss is in no log and no curve.

    Args:
        action: ``"stop"`` or ``"skip"``.
        max_loss: Size of the loss from which on it counts as exploded; None for no bound. The cross-entropy of a fresh network is about
            ln(classes), so that 10,000 is far from anything that still trains.
        max_in_a_row: Steps that may be skipped, or overflow, one after the other, before the training stops nevertheless.
    Raises:
        UserError: When the training stops.
    """

    priority = "HIGHEST"  # others shall not see the loss of a step that was not taken

    def __init__(self, action: str = "stop", max_loss: float | None = 1e4, max_in_a_row: int = 50) -> None:
        if action not in ("stop", "skip"):
            raise UserError(f"LossGuardHook: action ({action!r}) must be 'stop' or 'skip'.")
        if max_loss is not None and not (isinstance(max_loss, int | float) and max_loss > 0):
            raise UserError(f"LossGuardHook: max_loss ({max_loss}) must be above 0, or None for no bound.")
        if not isinstance(max_in_a_row, int) or max_in_a_row < 1:
            raise UserError(f"LossGuardHook: max_in_a_row ({max_in_a_row}) must be a whole number of at least 1.")
        self.action, self.max_loss, self.max_in_a_row = action, math.inf if max_loss is None else max_loss, max_in_a_row
        self._undo: list[Any] = []

    def before_train(self, runner) -> None:
        self._release()
        self._samples: Any = None  # data samples of this iteration
        self._pending: list[tuple[Tensor, Any]] = []  # losses since the last step, with their data samples
        self._kept: list[tuple[Tensor, Tensor]] = []  # statistics of norms before the batches of a step
        self._in_a_row, self._left_out, self._stepped = 0, False, False
        wrapper = runner.optim_wrapper
        if not hasattr(wrapper, "optimizer"):
            runner.logger.warning(f"LossGuardHook does not know {type(wrapper).__name__}: the loss is not guarded.")
            return
        update, step = wrapper.update_params, wrapper.step

        def guarded_update(loss: Tensor, *args: Any, **kwargs: Any) -> None:
            self._pending.append((loss.detach(), self._samples))
            update(loss, *args, **kwargs)

        @functools.wraps(step)  # with the mark by which MMEngine's schedulers know that they count its calls
        def guarded_step(**kwargs: Any) -> None:
            if (faults := find_faults(self._pending, self.max_loss, _norm(wrapper))) is None:
                self._take(runner, wrapper, step, kwargs)
            else:
                self._act(runner, faults)
            self._pending, self._kept = [], []

        # of this one object: whatever its class is, accumulation, clipping and mixed precision stay its own
        wrapper.update_params, wrapper.step = guarded_update, guarded_step
        self._undo = [lambda: wrapper.__dict__.pop("update_params"), lambda: wrapper.__dict__.pop("step")]
        self._undo.append(wrapper.optimizer.register_step_pre_hook(self._saw_step).remove)

    def _release(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _saw_step(self, *_: Any) -> None:
        self._stepped = True

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        self._left_out = False
        self._samples = {"data_samples": data_batch.get("data_samples")} if isinstance(data_batch, dict) else None
        if self.action == "skip" and not self._kept:
            self._kept = [(buffer, buffer.clone()) for buffer in runner.model.buffers()]

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None) -> None:
        if self._left_out and outputs is not None:
            outputs.clear()

    def after_train(self, runner) -> None:
        self._release()
        hub, parts = runner.message_hub, []
        if skipped := hub.get_info(SKIPPED, 0):
            parts.append(f"{skipped} skipped, since their loss or gradients were bad")
        if hasattr(runner.optim_wrapper, "loss_scaler"):
            parts.append(f"{hub.get_info(OVERFLOWS, 0)} left out by mixed precision, since gradients overflowed")
        if parts:
            level = logging.WARNING if skipped else logging.INFO
            runner.logger.log(level, f"Steps of {runner.iter} iterations: {'; '.join(parts)}.")

    def _take(self, runner, wrapper, step, kwargs: dict) -> None:
        """Take a good step; find out whether mixed precision has left it out."""
        scaler = getattr(wrapper, "loss_scaler", None)
        self._stepped = False
        # a fused optimizer looks at the overflow by itself: then only the scale tells
        fused = scaler is not None and getattr(wrapper.optimizer, "_step_supports_amp_scaling", False)
        scale = scaler.get_scale() if fused else 0.0
        step(**kwargs)
        if scaler is None:
            self._in_a_row = 0
            return
        overflowed = not self._stepped or (fused and scaler.get_scale() < scale)
        self._count(runner, OVERFLOWS, int(overflowed))
        runner.message_hub.update_scalar(f"train/{OVERFLOWS}", runner.message_hub.get_info(OVERFLOWS))
        self._in_a_row = self._in_a_row + 1 if overflowed else 0
        if self._in_a_row >= self.max_in_a_row:
            raise UserError(
                f"iteration {runner.iter + 1}: gradients overflowed in {self._in_a_row} steps in a row, at a scale of {scaler.get_scale():g} "
                f"and a learning rate of {_rates(runner)}; train without --amp, or in bfloat16 (optim_wrapper.dtype='bfloat16')."
            )

    def _act(self, runner, faults: list[StepFault]) -> None:
        reasons = " and ".join(dict.fromkeys(fault.reason for fault in faults))
        names = [name for fault in faults for name in fault.names]
        self._record(runner, reasons, names)
        batch = some_names(names, str(Path(runner.log_dir) / _RECORD))
        told = f"iteration {runner.iter + 1} (epoch {runner.epoch + 1}): {reasons}, at a learning rate of {_rates(runner)}; its batch: {batch}"
        self._in_a_row += 1
        if self.action == "stop" or self._in_a_row >= self.max_in_a_row:
            way_out = (
                "lower the learning rate, look at these files, or leave such steps out (LossGuardHook: action='skip')"
            )
            if self.action == "skip":
                way_out = f"these are {self._in_a_row} bad steps in a row, so lower the learning rate"
            raise UserError(f"{told}; {way_out}.")
        self._left_out = True
        self._count(runner, SKIPPED, 1)
        with torch.no_grad():
            for buffer, value in self._kept:
                buffer.copy_(value)
        runner.logger.warning(f"Step skipped: {told}.")

    def _count(self, runner, key: str, more: int) -> None:
        runner.message_hub.update_info(key, runner.message_hub.get_info(key, 0) + more)

    def _record(self, runner, reasons: str, names: list[str]) -> None:
        """Keep all names of the batch: a sentence holds some."""
        if not is_main_process():
            return
        line = {"iteration": runner.iter + 1, "fault": reasons, "learning_rate": _rates(runner), "batch": names}
        with (Path(runner.log_dir) / _RECORD).open("a") as file:
            file.write(json.dumps(line) + "\n")


def _norm(wrapper) -> Tensor | None:
    """The norm of the gradients; None in mixed precision, whose scaler looks at them."""
    return None if hasattr(wrapper, "loss_scaler") else gradient_norm(wrapper.optimizer)


def _rates(runner) -> str:
    """The learning rates of the parameter groups, each once, the most frequent first."""
    rates = [f"{rate:g}" for rate in runner.optim_wrapper.get_lr()["lr"]]
    return ", ".join(sorted(dict.fromkeys(rates), key=lambda rate: -rates.count(rate)))
