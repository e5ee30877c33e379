"""Whether a step can be taken: a loss that is a number of some size, and gradients whose norm is one. All ranks come to one answer."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmengine.dist import all_gather_object, all_reduce
from torch import Tensor

from .batch_names import batch_names

__all__ = ["StepFault", "find_faults", "gradient_norm"]


class StepFault(NamedTuple):
    """What is wrong with a step on one rank.

    Attributes:
        reason: One clause; empty on a rank where nothing is.
        names: The samples behind it.
        of_loss: Whether it is the loss, rather than the gradients, which are the same on all ranks.
    """

    reason: str
    names: list[str]
    of_loss: bool


def gradient_norm(optimizer: torch.optim.Optimizer) -> Tensor:
    """The 2-norm of all gradients, a scalar on their device."""
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    if not parameters:
        return torch.zeros(())
    if hasattr(torch.nn.utils, "get_total_norm"):
        return torch.nn.utils.get_total_norm([p.grad for p in parameters])
    return torch.nn.utils.clip_grad_norm_(parameters, math.inf)  # torch before 2.6; clips nothing


def find_faults(pending: Sequence[tuple[Tensor, Any]], max_loss: float, norm: Tensor | None) -> list[StepFault] | None:
    """What is wrong with a step; to be called by all ranks.

    Args:
        pending: The loss of each batch whose gradients the step holds, and the batch.
        max_loss: Size that a loss must not exceed.
        norm: Of the gradients, if that is to be looked at.
    Returns:
        The faults, of all ranks, those of the loss alone where there are any; None if nothing is wrong anywhere.
    """
    losses = torch.stack([loss.float().mean() for loss, _ in pending])
    flags = ~(losses.isfinite() & (losses.abs() <= max_loss))
    bad = flags.any()
    if norm is not None:
        bad = bad | ~norm.to(bad.device).isfinite()
    bad = bad.float()
    all_reduce(bad, op="max")
    if not bad.item():
        return None
    own = _own_fault(pending, losses.tolist(), flags.tolist(), max_loss, norm)
    faults = [fault for each in all_gather_object(tuple(own)) if (fault := StepFault(*each)).reason]
    return [fault for fault in faults if fault.of_loss] or faults


def _own_fault(
    pending: Sequence[tuple[Tensor, Any]], losses: list[float], flags: list[bool], max_loss: float, norm: Tensor | None
) -> StepFault:
    clauses: list[str] = []
    names: list[str] = []
    for loss, flag, (_, batch) in zip(losses, flags, pending, strict=True):
        if flag:
            beyond = f", beyond max_loss ({max_loss:g})" if math.isfinite(loss) else ""
            clauses.append(f"the loss is {loss:g}{beyond}")
            names += batch_names(batch)
    if clauses:
        return StepFault(" and ".join(dict.fromkeys(clauses)), names, True)
    if norm is None or norm.isfinite():
        return StepFault("", [], False)
    mean = sum(losses) / len(losses)
    everything = [name for _, batch in pending for name in batch_names(batch)]
    return StepFault(f"the loss is {mean:g}, but the norm of its gradients is {norm.item():g}", everything, False)
