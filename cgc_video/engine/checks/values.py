"""Numbers of a config that can be judged before anything is built."""

import math
from collections.abc import Iterator
from numbers import Real
from typing import Any

from mmengine.config import Config
from torch import nn

from ...errors import UserError

__all__ = ["check_head", "check_values"]

# Where in a config, the least value, and whether it must be whole.
_LEAST: dict[str, tuple[float, bool]] = {
    "model.cls_head.num_classes": (1, True),
    "model.cls_head.in_channels": (1, True),
    "train_cfg.max_epochs": (1, True),
    "train_cfg.max_iters": (1, True),
    "train_cfg.val_interval": (1, True),
    "optim_wrapper.optimizer.lr": (0, False),
    "optim_wrapper.optimizer.weight_decay": (0, False),
    "randomness.seed": (0, True),
    **{f"{split}_dataloader.batch_size": (1, True) for split in ("train", "val", "test")},
    **{f"{split}_dataloader.num_workers": (0, True) for split in ("train", "val", "test")},
}

_MOST = {"randomness.seed": 2**32 - 1}  # NumPy's


def check_values(cfg: Config) -> None:
    """Refuse numbers that are none, or too small, by their place in the config."""
    for way, (least, whole) in _LEAST.items():
        value = _look_up(cfg, way)
        kind = int if whole else Real
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, kind) or not least <= value < math.inf:
            what = "a whole number" if whole else "a number"
            raise UserError(f"{way} ({value!r}) must be {what} of at least {least:g}; correct it.")
        if value > _MOST.get(way, value):
            raise UserError(f"{way} ({value}) must be at most {_MOST[way]}; correct it.")
    for way, stages in _stages(cfg.get("model"), "model"):
        if not isinstance(stages, list | tuple) or not all(isinstance(stage, int) for stage in stages):
            raise UserError(f'{way} ({stages!r}) must be a list of stages, such as [3] or "[3,4]"; correct it.')


def check_head(model: nn.Module) -> None:
    """The head must take as many channels as the backbone gives."""
    given = getattr(getattr(model, "backbone", None), "out_channels", None)
    taken = getattr(getattr(model, "cls_head", None), "in_channels", None)
    if isinstance(given, int) and isinstance(taken, int) and given != taken:
        depth = getattr(model.backbone, "depth", None)
        of_depth = f" of depth {depth}" if depth else ""
        raise UserError(
            f"model.cls_head.in_channels ({taken}) must be {given}, the channels of the backbone{of_depth}; set it in the config."
        )


def _look_up(cfg: Config, way: str) -> Any:
    node: Any = cfg
    for key in way.split("."):
        node = node.get(key) if isinstance(node, dict | Config) else None
    return node


def _stages(node: Any, way: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "gated_stages" and value is not None:
                yield f"{way}.{key}", value
            else:
                yield from _stages(value, f"{way}.{key}")
