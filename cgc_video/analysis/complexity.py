"""Count the model of a config: parameters and multiply-adds of one view, by stage and by part.

A view is what the network sees at once: a clip and crop of the validation pipeline, or an image.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor

from ..engine.build_errors import plain_build_errors
from ..engine.config import load_config
from ..errors import UserError
from ..evaluation.complexity import Complexity, count_complexity
from ..evaluation.op_calls import OpCall, record_ops

if TYPE_CHECKING:
    from mmaction.models import BaseRecognizer

__all__ = ["ModelCount", "build_model", "count_config", "forward_view", "record_view", "view_shape"]


@dataclass(frozen=True)
class ModelCount:
    """The counts of a config's model.

    Args:
        config: As it was given.
        shape: Of the view, ``(1, 3, H, W)``, ``(1, T, 3, H, W)`` or ``(1, 1, 3, T, H, W)``.
    """

    config: str
    shape: tuple[int, ...]
    complexity: Complexity

    @property
    def view(self) -> str:
        """The view in words."""
        frames = {4: 1, 5: self.shape[1], 6: self.shape[-3]}[len(self.shape)]
        size = f"{self.shape[-2]} x {self.shape[-1]}"
        return f"an image of {size}" if len(self.shape) == 4 else f"a clip of {frames} frames, {size}"


def count_config(config: str, size: int | None = None, options: dict[str, Any] | None = None) -> ModelCount:
    """Count the model of a config, without memory for its weights.

    Args:
        size: Height and width of the view, in place of the validation pipeline's.
        options: As ``--cfg-options``.

    Raises:
        UserError: If the config cannot be read or built, its model does not classify clips or images, or the view does not fit it.
    """
    cfg = load_config(config, options)
    model = build_model(cfg, "meta")
    shape = view_shape(cfg, model, size)
    return ModelCount(config, shape, count_complexity(model, record_view(model, shape)))


def record_view(model: "BaseRecognizer", shape: tuple[int, ...]) -> list[OpCall]:
    """The ops of a forward pass of one view, of a model on the meta device.

    Raises:
        UserError: If the model cannot take a view of that shape.
    """
    view = torch.empty(shape, device="meta")
    try:
        return record_ops(model, lambda: forward_view(model, view))
    except (RuntimeError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise UserError(
            f"a view of shape {shape} does not fit the model ({reason}); correct the config, or give another --size."
        ) from error


def build_model(cfg: Config, device: str) -> "BaseRecognizer":
    """The model in evaluation mode, with random weights."""
    from mmaction.models import BaseRecognizer
    from mmaction.registry import MODELS

    if "pretrained" in cfg.model.get("backbone", {}):
        cfg.model.backbone.pretrained = None
    on_device = torch.device("meta") if device == "meta" else nullcontext()
    with DefaultScope.overwrite_default_scope(cfg.default_scope), plain_build_errors(cfg), on_device:
        model = MODELS.build(cfg.model)
    if not isinstance(model, BaseRecognizer):
        raise UserError(
            f"model ({cfg.model.type}) must classify clips or images to be counted; give a config of such a model."
        )
    return model.to(device).eval()


def forward_view(model: "BaseRecognizer", view: Tensor) -> Tensor:
    """Scores of a view; the classifier is included, the preprocessing is not."""
    features, head_arguments = model.extract_feat(view, test_mode=True)
    return model.cls_head(features, **head_arguments)


def view_shape(cfg: Config, model: "BaseRecognizer", size: int | None = None) -> tuple[int, ...]:
    """The shape in which a view reaches the model.

    Raises:
        UserError: If neither pipeline says how large, or how long, a view is.
    """
    from mmaction.models import Recognizer2D, Recognizer3D

    loaders = [loader for name in ("train_dataloader", "val_dataloader") if (loader := cfg.get(name))]
    steps = [step for loader in loaders for step in loader.dataset.get("pipeline", [])]
    side = (size, size) if size else _last_size(steps)
    if not isinstance(model, Recognizer2D | Recognizer3D):
        return 1, 3, *side
    sampling = [step for step in steps if "clip_len" in step]
    if not sampling:
        raise UserError(
            "val_dataloader.dataset.pipeline must have a step with clip_len, which says how long a clip is; add one."
        )
    clip_len, num_clips = sampling[-1]["clip_len"], sampling[-1].get("num_clips", 1)
    return (1, clip_len * num_clips, 3, *side) if isinstance(model, Recognizer2D) else (1, 1, 3, clip_len, *side)


def _last_size(steps: Sequence[dict]) -> tuple[int, int]:
    """Height and width behind the last step that sets both."""
    for step in reversed(steps):
        for key in ("crop_size", "size", "scale"):
            value = step.get(key)
            pair = (value, value) if isinstance(value, int) else tuple(value or ())
            if len(pair) == 2 and all(isinstance(side, int) and side > 0 for side in pair):
                return pair if key != "scale" else pair[::-1]
    raise UserError("the pipelines do not say how large a view is (crop_size, size or scale of a step); give --size.")
