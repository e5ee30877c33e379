"""What this machine or installation cannot do."""

import importlib.util

import torch
from mmengine.config import Config

from ...errors import UserError

__all__ = ["check_amp", "check_backends"]

_BACKEND_PACKAGES = {
    "TensorboardVisBackend": ("tensorboard", "tensorboardX"),
    "WandbVisBackend": ("wandb",),
}


def check_amp(cfg: Config) -> None:
    """MMEngine's mixed precision asserts a GPU; say so before the model is built."""
    wrapper = cfg.get("optim_wrapper") or {}
    if wrapper.get("type") == "AmpOptimWrapper" and not torch.cuda.is_available():
        raise UserError(
            "mixed precision (--amp, optim_wrapper.type 'AmpOptimWrapper') needs a GPU, and torch sees none on this "
            "machine; train without it."
        )


def check_backends(cfg: Config) -> None:
    """A visualisation backend whose package is not installed."""
    visualizer = cfg.get("visualizer") or {}
    for backend in visualizer.get("vis_backends") or []:
        kind = str(backend.get("type")).rpartition(".")[2]
        packages = _BACKEND_PACKAGES.get(kind, ())
        if packages and not any(importlib.util.find_spec(package) for package in packages):
            raise UserError(
                f"visualizer.vis_backends: {kind!r} needs the package {packages[0]!r}, which is not installed; run "
                f"`pip install {packages[0]}`, or use dict(type='LocalVisBackend')."
            )
