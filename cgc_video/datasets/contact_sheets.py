"""What a network is given, as pictures: normalisation undone, frames in a row, one row per view (clip or crop)."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn

from ..models.lazy_views import is_lazy, lazy_samples

__all__ = ["draw_sheet", "network_input", "undo_normalisation", "view_rows"]

MAX_WIDTH = 4096  # pixels of a sheet; frames shrink to fit
_LINE, _MARGIN, _LEAST_WIDTH = 18, 4, 480


@torch.no_grad()
def network_input(sample: dict, preprocessor: nn.Module, training: bool) -> Tensor:
    """Send one packed sample through a data preprocessor, as a batch of one.

    Mixing of clips (``blending``) needs a batch and shows in no single clip: it is left out.

    Returns:
        What the backbone gets, without the batch axis, in floating point.
    """
    blending, preprocessor.blending = getattr(preprocessor, "blending", None), None
    try:
        batch = pseudo_collate([sample])
        if is_lazy(batch["inputs"]):  # views that a recognizer cuts a few at a time
            batch["inputs"] = [views.cut(0, len(views)) for views in lazy_samples(batch["inputs"])]
        return preprocessor(batch, training=training)["inputs"][0].float()
    finally:
        preprocessor.blending = blending


def undo_normalisation(inputs: Tensor, preprocessor: nn.Module) -> np.ndarray:
    """Turn a preprocessor's output back into pixels.

    Args:
        inputs: ``(M, C, H, W)`` or ``(M, C, T, H, W)``, three channels in the network's order, RGB as our pipelines have it.
    Returns:
        uint8 in 0..255, of the same shape; what lies outside is clipped.
    """
    if getattr(preprocessor, "_enable_normalize", False):
        shape = (-1, *[1] * (inputs.ndim - 2))
        inputs = inputs * preprocessor.std.cpu().reshape(shape) + preprocessor.mean.cpu().reshape(shape)
    return inputs.round().clamp(0, 255).to(torch.uint8).numpy()


def view_rows(pixels: np.ndarray, num_segments: int) -> np.ndarray:
    """Arrange pixels as ``(views, T, H, W, C)``.

    Args:
        pixels: ``(views * T, C, H, W)`` of a 2D recognizer, or ``(views, C, T, H, W)`` of a 3D one.
        num_segments: ``T`` of the former.
    Raises:
        ValueError: If it does not divide the frames.
    """
    if pixels.ndim == 5:
        return pixels.transpose(0, 2, 3, 4, 1)
    if pixels.shape[0] % num_segments:
        raise ValueError(
            f"num_segments ({num_segments}) must divide the frame count ({pixels.shape[0]}); set it in the config."
        )
    return pixels.reshape(-1, num_segments, *pixels.shape[1:]).transpose(0, 1, 3, 4, 2)


def draw_sheet(rows: np.ndarray, caption: Sequence[str], max_width: int = MAX_WIDTH) -> np.ndarray:
    """Draw a contact sheet: the caption, then a row of frames per view, one pixel apart.

    Args:
        rows: ``(views, T, H, W, 3)`` uint8 RGB. Frames keep their size unless a row would be wider than ``max_width``.
    Returns:
        ``(height, width, 3)`` uint8 in BGR, as OpenCV writes it.
    """
    views, frames, height, width = rows.shape[:4]
    scale = min(1.0, (max_width - frames) / (frames * width))
    height, width = max(1, round(scale * height)), max(1, round(scale * width))
    top = _LINE * len(caption) + _MARGIN
    sheet = np.full((top + views * (height + 1), max(_LEAST_WIDTH, frames * (width + 1)), 3), 255, np.uint8)
    for view, frame in np.ndindex(views, frames):
        image = np.ascontiguousarray(rows[view, frame, ..., ::-1])
        if scale < 1:
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        y, x = top + view * (height + 1), frame * (width + 1)
        sheet[y : y + height, x : x + width] = image
    for line, text in enumerate(caption):
        text = text.encode("ascii", "replace").decode()  # OpenCV's font has no other characters
        place = (_MARGIN, _LINE * (line + 1) - _MARGIN)
        cv2.putText(sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return sheet
