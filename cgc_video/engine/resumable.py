"""Put parts that can be resumed exactly into the place of MMEngine's, whose arguments they take."""

import copy
from typing import Any

from mmengine.config import Config

__all__ = ["resumable"]

_LOOPS = {"EpochBasedTrainLoop": "ResumableEpochLoop"}
_SAMPLERS = {"DefaultSampler": "ResumableSampler"}
_HOOKS = {"CheckpointHook": "SafeCheckpointHook"}


def resumable(cfg: Config) -> Config:
    """A copy of a training config with this project's loop, sampler and checkpoint hook where it names MMEngine's.

    So any config that is trained by this project's tools survives, MMAction2's as well; types of other names stay.
    """
    cfg = copy.deepcopy(cfg)
    train = cfg.train_cfg
    if "type" not in train and train.pop("by_epoch", True):  # MMEngine's default
        train.type = "EpochBasedTrainLoop"
    _replace(train, _LOOPS)
    _replace(cfg.train_dataloader.get("sampler"), _SAMPLERS)
    default = {"checkpoint": {"type": "CheckpointHook", "interval": 1}}  # MMEngine's
    cfg.default_hooks = {**default, **(cfg.get("default_hooks") or {})}
    for hook in [*cfg.default_hooks.values(), *(cfg.get("custom_hooks") or [])]:
        _replace(hook, _HOOKS)
    return cfg


def _replace(part: Any, names: dict[str, str]) -> None:
    """Only where the type is exactly MMEngine's, by name or as a class."""
    if isinstance(part, dict):
        kind = part.get("type")
        name = kind.removeprefix("mmengine.") if isinstance(kind, str) else getattr(kind, "__name__", "")
        part["type"] = names.get(name, kind)
