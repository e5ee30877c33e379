"""What a checkpoint must hold beside MMEngine's, so that a run goes on as if it had not stopped."""

import logging
from collections.abc import Mapping
from typing import Any

from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper

from ...datasets.sample_seeds import seeds_lost
from ...errors import UserError
from ..loops import ResumableEpochLoop

__all__ = ["between_updates", "check_repeatable", "check_same_optimizer", "gather_states", "load_place", "save_place"]

KEY = "resumption"


def gather_states(runner) -> list[dict[str, Any]]:
    """Random states of all processes, by rank; to be called on each of them."""
    loop = runner.train_loop
    return all_gather_object(loop.random_states()) if isinstance(loop, ResumableEpochLoop) else []


def save_place(runner, checkpoint: dict[str, Any], states: list[dict[str, Any]]) -> None:
    """Put the place in the epoch, the random states, and gradients between two updates into a checkpoint."""
    if "optimizer" not in checkpoint or not isinstance(runner.train_loop, ResumableEpochLoop):
        return
    place = runner.train_loop.state_dict(checkpoint["meta"]["epoch"], checkpoint["meta"]["iter"])
    checkpoint[KEY] = {**place, "random_states": states}
    if between_updates(runner):
        named = _model(runner).named_parameters()
        checkpoint[KEY]["gradients"] = {name: p.grad.cpu() for name, p in named if p.grad is not None}


def load_place(runner, checkpoint: Mapping[str, Any]) -> None:
    """Take up what ``save_place`` wrote. A checkpoint of MMEngine has none of it: its epoch starts afresh, as MMEngine has it."""
    loop, place = runner.train_loop, checkpoint.get(KEY)
    if not isinstance(loop, ResumableEpochLoop):
        runner.logger.warning(
            f"train_cfg.type {type(loop).__name__} goes on in MMEngine's way, which decodes what it skips and draws other random "
            "numbers; EpochBasedTrainLoop and UpdateBasedTrainLoop go on exactly."
        )
        return
    if place is None:
        runner.logger.warning(
            "The checkpoint holds no random states and no place inside an epoch, as one of MMEngine's own: training goes on at the "
            "start of an epoch, from the seed."
        )
        return
    states = place["random_states"]
    if len(states) != get_world_size():
        runner.logger.warning(
            f"The checkpoint holds random states of {len(states)} process(es), and {get_world_size()} run here: they start from the seed."
        )
    loop.load_state_dict(place, states[get_rank()] if len(states) == get_world_size() else None)
    gradients = place.get("gradients") or {}
    for name, parameter in _model(runner).named_parameters():
        if name in gradients:
            parameter.grad = gradients[name].to(parameter.device)
    if gradients:  # whatever MMEngine says of them next
        runner.logger.info("The checkpoint lies between two updates: the gradients accumulated by then are taken up.")


def check_same_optimizer(runner, checkpoint: Mapping[str, Any]) -> None:
    """PyTorch takes the state of any optimizer, and fails at the first step.

    Raises:
        UserError: If the checkpoint holds the state of another kind of optimizer, or of other groups of parameters.
    """
    wrapper, saved = runner.optim_wrapper, checkpoint.get("optimizer")
    way_out = "take the settings it was trained with, or start from its weights with load_from"
    if not isinstance(wrapper, OptimWrapper) or not isinstance(saved, Mapping) or "param_groups" not in saved:
        return
    own, theirs = wrapper.optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in theirs] != [len(group["params"]) for group in own]:
        raise UserError(
            f"the checkpoint's optimizer has its parameters in other groups than this run's ({len(theirs)} and {len(own)} groups; "
            f"optim_wrapper.paramwise_cfg makes them): {way_out}."
        )
    # one of another version of PyTorch has settings more or less, one of another kind both
    lacking, more = set(own[0]) - set(theirs[0]), set(theirs[0]) - set(own[0]) - {"initial_lr"}
    if lacking and more:
        has, has_not = (", ".join(sorted(names)) for names in (more, lacking))
        kind = type(wrapper.optimizer).__name__
        raise UserError(
            f"the checkpoint is of another optimizer than {kind} (it has {has}, and no {has_not}): {way_out}."
        )


def between_updates(runner) -> bool:
    """Whether gradients are accumulated that no step of the optimizer has used."""
    wrapper = runner.optim_wrapper
    return isinstance(wrapper, OptimWrapper) and wrapper._inner_count > 0 and not wrapper.should_update()


def check_repeatable(runner, interval: int | None) -> None:
    """Refuse what a checkpoint could not hold, and say what would not repeat.

    Args:
        interval: Iterations between checkpoints; None where they are written at the end of an epoch.
    Raises:
        UserError: If several processes would write a checkpoint between two updates: each has gradients of its own.
    """
    steps = getattr(runner.optim_wrapper, "_accumulative_counts", 1)
    every, what = (
        (interval, "default_hooks.checkpoint.interval") if interval else (len(runner.train_dataloader), "an epoch")
    )
    if get_world_size() > 1 and every > 0 and every % steps:
        raise UserError(
            f"optim_wrapper.accumulative_counts ({steps}) must divide the {every} batches of {what} where several processes train: a checkpoint "
            "between two updates would lose the gradients; change it, or the batch size."
        )
    if runner.train_dataloader.num_workers and (lost := seeds_lost(runner.train_dataloader.dataset)) is not None:
        runner.logger.log(
            logging.WARNING,
            f"The data set {lost} draws random numbers by worker, not by sample: a run that is resumed, or has another num_workers, "
            "trains on other crops. ListedVideos, ListedFrames and ImageFolder draw by sample.",
        )


def _model(runner) -> Any:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
