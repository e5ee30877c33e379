"""Crop, resize and flip that were planned before decoding are applied to each frame as it is decoded.

MMAction2's steps with ``lazy=True`` (``Resize``, ``MultiScaleCrop``, ``RandomResizedCrop``, ``CenterCrop``,
``RandomCrop``, ``Flip``) change no image: they note one crop box, one size and one flip under ``results["lazy"]``, for
its ``Fuse`` step to do at once. Here they come before decoding, so that no frame is kept at its full size and none is
resized twice. A resize of the whole frame gives the pixels that ``Resize`` gives; a crop that was planned after a
resize is taken from the frame as it was and resized once, which is close to, and not the same as, resizing, cropping
and resizing again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import mmcv
import numpy as np

__all__ = ["Plan", "take_plan"]

_FLIPS = {"horizontal": 1, "vertical": 0, "diagonal": -1}  # OpenCV's flip codes


@dataclass(frozen=True)
class Plan:
    """What to do with each frame.

    Attributes:
        original: Height and width that the box refers to.
        box: Left, top, right and bottom.
        size: Height and width of the result.
    """

    original: tuple[int, int]
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    interpolation: str = "bilinear"
    flip: str | None = None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Crop, resize and flip an image ``(H, W, 3)``, at the original size or any other; may return a view of it."""
        height, width = image.shape[:2]
        down, right = height / self.original[0], width / self.original[1]
        x_first, y_first, x_last, y_last = self.box
        x0, y0 = (
            round(x_first * right),
            round(y_first * down),
        )  # Python's numbers: an array of four costs more than the crop
        x1, y1 = round(x_last * right), round(y_last * down)
        crop = image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
        if crop.shape[:2] != self.size:
            crop = mmcv.imresize(crop, self.size[::-1], interpolation=self.interpolation)
        if self.flip is not None:
            crop = cv2.flip(crop, _FLIPS[self.flip])
        return crop

    @property
    def at_least(self) -> tuple[int, int]:
        """Height and width of a whole image whose cropped part is no smaller than the result."""
        left, top, right, bottom = self.box
        height = self.original[0] * self.size[0] / max(1.0, bottom - top)
        width = self.original[1] * self.size[1] / max(1.0, right - left)
        return int(np.ceil(height)), int(np.ceil(width))


def take_plan(results: dict[str, Any]) -> Plan | None:
    """Take the plan out of a sample; None if no step with ``lazy=True`` came before."""
    lazy: Mapping[str, Any] | None = results.pop("lazy", None)
    if lazy is None:
        return None
    return Plan(
        original=tuple(map(int, lazy["original_shape"])),
        box=tuple(map(float, lazy["crop_bbox"])),
        size=tuple(map(int, results["img_shape"])),
        interpolation=lazy["interpolation"] or "bilinear",
        flip=lazy["flip_direction"] if lazy["flip"] else None,
    )
