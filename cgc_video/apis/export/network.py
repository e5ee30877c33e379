"""A trained model as one function of pixels, and its graph with a free batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmengine.config import Config
from torch import Tensor, nn
from torch.export import ExportedProgram

from cgc_video.errors import UserError
from cgc_video.models import ClipRecognizer2D

from .interface import Interface
from .operators import StandardOperators
from .quiet import quiet_tracing

__all__ = ["PixelNetwork", "trace"]


class PixelNetwork(nn.Module):
    """Normalisation, network, head, and the average over views: what ``test_step`` computes, without chunks of views.

    Args:
        model: In evaluation mode.
        interface: The input's.

    Raises:
        UserError: If the preprocessor is another than MMAction2's or ours.
    """

    def __init__(self, model: nn.Module, interface: Interface) -> None:
        super().__init__()
        preprocessor = model.data_preprocessor
        if not isinstance(preprocessor, ActionDataPreprocessor) or preprocessor.format_shape == "MIX2d3d":
            raise UserError(
                f"data_preprocessor ({type(preprocessor).__name__}, format_shape {getattr(preprocessor, 'format_shape', None)}) "
                "cannot be exported; use ActionDataPreprocessor with NCHW or NCTHW."
            )
        self.model = model
        # ours score each view by itself; MMAction2's take all frames at once and leave the views to the head
        self.frames = interface.frames if isinstance(model, ClipRecognizer2D) else None
        self.channel_axis = -4 if interface.layout == "clips" else -3

    def forward(self, pixels: Tensor) -> Tensor:
        """Map uint8 samples ``(N, *interface.shape)`` to ``(N, num_classes)``."""
        with StandardOperators():
            x = self.normalise(pixels)
            if self.frames is not None:
                x = x.unflatten(1, (-1, self.frames)).flatten(0, 1)  # (N * views, T, 3, H, W)
            features, arguments = self.model.extract_feat(x, test_mode=True)
            scores = self.model.cls_head(features, **arguments)  # (N * views, classes)
            return self.model.cls_head.average_clip(scores, num_segs=scores.shape[0] // pixels.shape[0])

    def normalise(self, pixels: Tensor) -> Tensor:
        """What the preprocessor does to a stacked batch."""
        preprocessor: Any = self.model.data_preprocessor
        if preprocessor.to_rgb:
            pixels = pixels.flip(self.channel_axis)
        x = pixels.to(torch.float32)
        return (x - preprocessor.mean) / preprocessor.std if preprocessor._enable_normalize else x


def trace(model: nn.Module, interface: Interface, cfg: Config) -> ExportedProgram:
    """The graph of a model, batch free and all other sizes fixed, without the places in files that its steps came from.

    Raises:
        UserError: If a view does not fit the model, or ``torch.export`` cannot follow it.
    """
    network = PixelNetwork(model, interface).eval().requires_grad_(False)
    pixels = torch.zeros((2, *interface.shape), dtype=torch.uint8)
    with torch.no_grad(), _frame_count_unchecked(model):
        try:
            network(pixels[:1])
        except (RuntimeError, ValueError) as error:
            raise UserError(
                f"a sample of shape {interface.shape} does not fit the model ({_first_line(error)}); correct the config, or "
                "give another --size or --views."
            ) from error
        try:
            with quiet_tracing():
                program = torch.export.export(network, (pixels,), dynamic_shapes=({0: torch.export.Dim("batch")},))
        except Exception as error:  # whatever a model of someone's own may make torch.export raise
            raise UserError(
                f"model ({cfg.model.type}, backbone {cfg.model.backbone.type}) cannot be exported: torch.export does not "
                f"follow it ({type(error).__name__}: {_first_line(error)}); write that step in operators of PyTorch."
            ) from error
    for node in program.graph.nodes:
        for key in ("stack_trace", "nn_module_stack", "source_fn_stack", "from_node"):
            node.meta.pop(key, None)
    program.example_inputs = None  # they would go into the file
    return program


@contextmanager
def _frame_count_unchecked(model: nn.Module) -> Iterator[None]:
    """Without ``num_segments`` TSN's backbone leaves out its check of the frame count, whose ``len()`` would fix the batch.

    The count is the interface's, which has been checked. Its layers hold the number by themselves.
    """
    backbone = model.backbone
    segments = getattr(backbone, "num_segments", None)
    if isinstance(model, ClipRecognizer2D):
        backbone.num_segments = None
    try:
        yield
    finally:
        if isinstance(model, ClipRecognizer2D):
            backbone.num_segments = segments


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
