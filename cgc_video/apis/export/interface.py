"""What an exported network takes and gives: found from the model and its test pipeline, and written into the file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmaction.models import Recognizer2D, Recognizer3D
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch import nn

from cgc_video.engine.trained import TrainedModel
from cgc_video.errors import UserError
from cgc_video.models import ImageClassifier
from cgc_video.models.lazy_views import batch_samples
from cgc_video.version import __version__

from ..sources import SourcePipeline

__all__ = ["INPUT", "Interface", "find_interface", "metadata"]

INPUT = "pixels"


@dataclass(frozen=True)
class Interface:
    """The shape of one sample, and what its axes mean.

    Args:
        layout: ``"image"`` ``(3, H, W)``, ``"frames"`` ``(views * frames, 3, H, W)``, or ``"clips"`` ``(views, 3, frames, H, W)``.
        views: Clips and crops of a video, whose scores are averaged; their order is that of the test pipeline.
        frames: Of a view.
        average: Of the views: ``"prob"`` or ``"score"``.
    """

    layout: str
    views: int
    frames: int
    height: int
    width: int
    average: str

    @property
    def shape(self) -> tuple[int, ...]:
        size = (self.height, self.width)
        if self.layout == "image":
            return (3, *size)
        return (self.views * self.frames, 3, *size) if self.layout == "frames" else (self.views, 3, self.frames, *size)

    @property
    def output(self) -> str:
        """Name of the output; the mean of scores, which a head may ask for, is no probability."""
        return "probabilities" if self.average == "prob" else "scores"

    def describe(self) -> str:
        """The input in words."""
        size = f"{self.height} x {self.width}"
        if self.layout == "image":
            return f"RGB images of {size}, 0 to 255"
        order = ", view after view" if self.layout == "frames" and self.views > 1 else ""
        views = "1 view (clip and crop)" if self.views == 1 else f"{self.views} views (clips and crops)"
        return f"{views} of {self.frames} RGB frames of {size}, 0 to 255{order}"


def find_interface(trained: TrainedModel, size: int | None = None, views: int | None = None) -> Interface:
    """Run the test pipeline on videos of two shapes, and see what comes out.

    Args:
        size: Height and width, in place of the pipeline's.
        views: In place of the pipeline's.

    Raises:
        UserError: If the model is none of videos or images, or the pipeline leaves open how large a view is.
    """
    model, cfg = trained.model, trained.cfg
    layout = _layout(model, cfg)
    average = getattr(model.cls_head, "average_clips", None)
    if average not in ("prob", "score"):
        raise UserError(
            f"average_clips ({average}) of the head must be 'prob' or 'score' to be exported; set it in the config."
        )
    wide, tall = (_sample_shape(cfg, layout, shape) for shape in ((240, 320), (320, 240)))
    if wide != tall and size is None:
        raise UserError(
            "the test pipeline gives views of the source's own size, but an exported network has a fixed one; give --size."
        )
    height, width = (size, size) if size else wide[-2:]
    if layout == "image":
        if views is not None:
            raise UserError(f"--views ({views}) is for videos, and this model takes images; leave it out.")
        return Interface(layout, 1, 1, height, width, average)
    if layout == "clips":
        return Interface(layout, views or wide[0], wide[2], height, width, average)
    frames = getattr(model.backbone, "num_segments", None) or getattr(model.cls_head, "num_segments", None) or wide[0]
    if wide[0] % frames:
        raise UserError(
            f"num_segments ({frames}) must divide the {wide[0]} frames of the test pipeline; set it in the config."
        )
    return Interface(layout, views or wide[0] // frames, frames, height, width, average)


def metadata(trained: TrainedModel, interface: Interface, config: str) -> dict[str, str]:
    """What a reader of the file needs to prepare its input and to name its output; JSON but for plain words."""
    preprocessor = trained.model.data_preprocessor
    normalised = bool(getattr(preprocessor, "_enable_normalize", False))
    return {
        "producer": f"cgc_video {__version__}, torch {torch.__version__}",
        "config": Path(config).name,
        "classes": json.dumps(trained.class_names, ensure_ascii=False),
        "input": f"uint8 (batch, {', '.join(map(str, interface.shape))}): {interface.describe()}",
        "output": f"float32 (batch, {len(trained.class_names)}): {interface.output}, averaged over the views",
        "layout": interface.layout,
        "views": str(interface.views),
        "frames": str(interface.frames),
        "height": str(interface.height),
        "width": str(interface.width),
        "normalisation": "in the graph: (pixels - mean) / std",
        "mean": json.dumps(preprocessor.mean.flatten().tolist() if normalised else [0.0] * 3),
        "std": json.dumps(preprocessor.std.flatten().tolist() if normalised else [1.0] * 3),
        "test_pipeline": json.dumps(_plain(trained.cfg.test_dataloader.dataset.pipeline)),
    }


def _layout(model: nn.Module, cfg: Config) -> str:
    for kind, layout in ((ImageClassifier, "image"), (Recognizer2D, "frames"), (Recognizer3D, "clips")):
        if isinstance(model, kind):
            return layout
    raise UserError(
        f"model ({cfg.model.type}) cannot be exported: it is none of Recognizer2D, Recognizer3D and ImageClassifier; "
        "give a config of such a model."
    )


def _sample_shape(cfg: Config, layout: str, size: tuple[int, int]) -> tuple[int, ...]:
    """The shape of the sample that the test pipeline makes of a black video, or image."""
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        pipeline = SourcePipeline(cfg.test_dataloader.dataset.pipeline)
    source = np.zeros((*size, 3) if layout == "image" else (32, *size, 3), np.uint8)
    return tuple(batch_samples(pseudo_collate([pipeline(source)])["inputs"])[0].shape)


def _plain(steps: Any) -> Any:
    """A pipeline as JSON can hold it."""
    if isinstance(steps, dict):
        return {key: _plain(value) for key, value in steps.items()}
    if isinstance(steps, list | tuple):
        return [_plain(step) for step in steps]
    return steps if isinstance(steps, str | int | float | bool | None) else str(steps)
