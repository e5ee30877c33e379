"""What a file says of itself."""

import json
from pathlib import Path
from typing import Any

import torch

from cgc_video.engine.trained import TrainedModel
from cgc_video.version import __version__

from .interface import Interface

__all__ = ["metadata"]


def metadata(trained: TrainedModel, interface: Interface, config: str) -> dict[str, str]:
    """What a reader of the file needs to prepare its input and to name its output; JSON but for plain words."""
    preprocessor = trained.model.data_preprocessor
    normalised = bool(getattr(preprocessor, "_enable_normalize", False))
    averaged = ", averaged over the views" if interface.views > 1 else ""
    return {
        "producer": f"cgc_video {__version__}, torch {torch.__version__}",
        "config": Path(config).name,
        "classes": json.dumps(trained.class_names, ensure_ascii=False),
        "input": f"uint8 (batch, {', '.join(map(str, interface.shape))}): {interface.describe()}",
        "output": f"float32 (batch, {len(trained.class_names)}): {interface.output}{averaged}",
        "layout": interface.layout,
        "channels": interface.channels,
        "views": str(interface.views),
        "frames": str(interface.frames),
        "height": str(interface.height),
        "width": str(interface.width),
        "normalisation": "in the graph: (pixels - mean) / std",
        "mean": json.dumps(preprocessor.mean.flatten().tolist() if normalised else [0.0] * 3),
        "std": json.dumps(preprocessor.std.flatten().tolist() if normalised else [1.0] * 3),
        "test_pipeline": json.dumps(_plain(trained.cfg.test_dataloader.dataset.pipeline)),
    }


def _plain(steps: Any) -> Any:
    """A pipeline as JSON can hold it."""
    if isinstance(steps, dict):
        return {key: _plain(value) for key, value in steps.items()}
    if isinstance(steps, list | tuple):
        return [_plain(step) for step in steps]
    return steps if isinstance(steps, str | int | float | bool | None) else str(steps)
