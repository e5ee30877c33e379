"""The average of the last checkpoints, which Sec. 4.4's protocol tests.

Source: the evaluation of Wu et al., ICLR 2019, in fairseq: weights of the last 10 epochs' checkpoints, averaged.
"""

import re
from pathlib import Path

import torch
from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import CheckpointHook, Hook

from ..engine.checks.checkpoint import load_checkpoint
from ..errors import UserError
from ..models.checkpoints import weights_of, write_checkpoint

__all__ = ["AverageCheckpointsHook", "average_checkpoints", "epoch_checkpoints"]

AVERAGED = "averaged.pth"


def epoch_checkpoints(work_dir: str | Path, last: int) -> list[Path]:
    """The last ``epoch_<n>.pth`` of a folder, as many as there are up to ``last``, by ascending number.

    Raises:
        UserError: If there is none.
    """
    if last < 1:
        raise UserError(f"last ({last}) must be at least 1 checkpoint.")
    numbered = ((re.fullmatch(r"epoch_(\d+)\.pth", path.name), path) for path in Path(work_dir).glob("epoch_*.pth"))
    found = sorted((int(match.group(1)), path) for match, path in numbered if match)
    if not found:
        raise UserError(f"{work_dir} holds no checkpoint epoch_<number>.pth; give the work dir of a training.")
    return [path for _, path in found[-last:]]


def average_checkpoints(paths: list[Path], output: Path) -> None:
    """Write a checkpoint with the mean of the weights, in float64, and all else but the optimizer from the last one.

    Raises:
        UserError: If the checkpoints are of different models.
    """
    sums: dict[str, torch.Tensor] = {}
    for path in paths:
        checkpoint = load_checkpoint(str(path))
        state = weights_of(checkpoint, str(path))
        floating = {name: value.double() for name, value in state.items() if value.is_floating_point()}
        if sums and {k: v.shape for k, v in sums.items()} != {k: v.shape for k, v in floating.items()}:
            raise UserError(f"{path} is of another model than {paths[0]}; average checkpoints of one training.")
        sums = {name: value + sums[name] if sums else value for name, value in floating.items()}
    averaged = {name: (value / len(paths)).to(state[name].dtype) for name, value in sums.items()}
    meta = {**checkpoint.get("meta", {}), "averaged": [path.name for path in paths]}
    write_checkpoint({"meta": meta, "state_dict": {**state, **averaged}}, output)


@HOOKS.register_module()
class AverageCheckpointsHook(Hook):
    """Writes ``averaged.pth`` to the work dir at the end of training.

    Args:
        last: Checkpoints that are averaged; the checkpoint hook must keep as many.
    """

    priority = "VERY_LOW"

    def __init__(self, last: int = 10) -> None:
        self.last = last

    def before_train(self, runner) -> None:
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook) and 0 < hook.max_keep_ckpts < self.last:
                raise UserError(
                    f"AverageCheckpointsHook.last ({self.last}) is more than default_hooks.checkpoint.max_keep_ckpts "
                    f"({hook.max_keep_ckpts}) keeps; raise that, or lower last."
                )

    @master_only
    def after_train(self, runner) -> None:
        paths = epoch_checkpoints(runner.work_dir, self.last)
        output = Path(runner.work_dir) / AVERAGED
        average_checkpoints(paths, output)
        runner.logger.info(f"Averaged {len(paths)} checkpoint(s), {paths[0].name} to {paths[-1].name}: {output}")
