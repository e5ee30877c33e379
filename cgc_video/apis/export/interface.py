"""What an exported network takes and gives, found from the model and its test pipeline."""

from dataclasses import dataclass

import numpy as np
from mmaction.models import Recognizer2D, Recognizer3D
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch import nn

from cgc_video.engine.trained import TrainedModel
from cgc_video.errors import UserError
from cgc_video.models import ImageClassifier
from cgc_video.models.lazy_views import batch_samples

from ..sources import SourcePipeline

__all__ = ["INPUT", "Interface", "find_interface"]

INPUT = "pixels"


@dataclass(frozen=True)
class Interface:
    """The shape of one sample, and what its axes mean.

    Args:
        layout: ``"image"`` ``(3, H, W)``, ``"frames"`` ``(views * frames, 3, H, W)``, or ``"clips"`` ``(views, 3, frames, H, W)``.
        views: Clips and crops of a video, whose scores are averaged; their order is that of the test pipeline.
        frames: Of a view.
        average: Of the views: ``"prob"`` or ``"score"``.
        channels: Their order, that of the test pipeline: ``"RGB"`` or ``"BGR"``.
    """

    layout: str
    views: int
    frames: int
    height: int
    width: int
    average: str
    channels: str

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
            return f"{self.channels} images of {size}, 0 to 255"
        order = ", view after view" if self.layout == "frames" and self.views > 1 else ""
        views = "1 view (clip and crop)" if self.views == 1 else f"{self.views} views (clips and crops)"
        return f"{views} of {self.frames} {self.channels} frames of {size}, 0 to 255{order}"


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
    if not cfg.get("test_dataloader"):
        raise UserError("the config has no test_dataloader, whose pipeline says what a view is; add one.")
    wide, tall = (_sample_shape(cfg, layout, shape) for shape in ((384, 512), (512, 384)))
    if wide != tall and size is None:
        raise UserError(
            "the test pipeline gives views of the source's own size, but an exported network has a fixed one; give --size."
        )
    channels = "BGR" if getattr(model.data_preprocessor, "to_rgb", False) else "RGB"
    ends = (*((size, size) if size else wide[-2:]), average, channels)
    if layout == "image":
        if views is not None:
            raise UserError(f"--views ({views}) is for videos, and this model takes images; leave it out.")
        return Interface(layout, 1, 1, *ends)
    if layout == "clips":
        return Interface(layout, views or wide[0], wide[2], *ends)
    frames = getattr(model.backbone, "num_segments", None) or getattr(model.cls_head, "num_segments", None) or wide[0]
    if wide[0] % frames:
        raise UserError(
            f"num_segments ({frames}) must divide the {wide[0]} frames of the test pipeline; set it in the config."
        )
    return Interface(layout, views or wide[0] // frames, frames, *ends)


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
