"""Hold two trainings to each other, by what their last checkpoints hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

__all__ = ["assert_same_run", "last_checkpoint"]


def assert_same_run(first: Path, second: Path, keys: Sequence[str] = ()) -> None:
    """The last checkpoints of two runs agree in every bit that training depends on."""
    contents = [last_checkpoint(folder) for folder in (first, second)]
    for key in keys or ("state_dict", "optimizer", "param_schedulers", "resumption", "ema_state_dict"):
        _assert_equal(key, *(content.get(key) for content in contents))
    hubs = [content["message_hub"] for content in contents]
    for name in ("train/loss", "train/lr"):
        histories = [hub["log_scalars"][name].data[0] for hub in hubs]
        np.testing.assert_array_equal(*histories, err_msg=name)


def last_checkpoint(work_dir: Path) -> dict:
    return torch.load((work_dir / "last_checkpoint").read_text(), weights_only=True)


def _assert_equal(way: str, first: Any, second: Any) -> None:
    if isinstance(first, dict):
        assert first.keys() == second.keys(), way
        for key in first:
            _assert_equal(f"{way}.{key}", first[key], second[key])
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), way
        for index, pair in enumerate(zip(first, second, strict=True)):
            _assert_equal(f"{way}.{index}", *pair)
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second), way
    else:
        assert first == second, way
