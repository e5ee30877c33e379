"""Random crops of single images; ``RandomResizedCrop`` and ``RandomCrop`` of MMAction2 are for clips."""

from typing import Any

import mmcv
import numpy as np
from mmaction.datasets.transforms import RandomResizedCrop
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import UserError

__all__ = ["RandomCropImage", "RandomResizedCropImage"]


@TRANSFORMS.register_module()
class RandomResizedCropImage(BaseTransform):
    """Crop a random area of random aspect, and resize it: Szegedy et al., CVPR 2015, "training methodology".

    Args:
        size: Side of the result.
        area_range: Share of the image's area.
        aspect_ratio_range: Width over height.
        backend: ``"pillow"`` averages over the pixels that a smaller one covers, as torchvision does; ``"cv2"`` is faster
            and interpolates between the nearest.
    """

    def __init__(
        self,
        size: int,
        area_range: tuple[float, float] = (0.08, 1.0),
        aspect_ratio_range: tuple[float, float] = (3 / 4, 4 / 3),
        interpolation: str = "bilinear",
        backend: str = "pillow",
    ) -> None:
        self.size, self.interpolation, self.backend = size, interpolation, backend
        self.area_range, self.aspect_ratio_range = tuple(area_range), tuple(aspect_ratio_range)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        image = results["img"]
        box = RandomResizedCrop.get_crop_bbox(image.shape[:2], self.area_range, self.aspect_ratio_range)
        left, top, right, bottom = box
        crop, size = np.ascontiguousarray(image[top:bottom, left:right]), (self.size, self.size)
        results["img"] = mmcv.imresize(crop, size, interpolation=self.interpolation, backend=self.backend)
        results["img_shape"] = size
        return results

    def __repr__(self) -> str:
        return f"RandomResizedCropImage(size={self.size}, area_range={self.area_range}, backend={self.backend!r})"


@TRANSFORMS.register_module()
class RandomCropImage(BaseTransform):
    """Pad each side with zeros, and crop a square at a random place.

    Args:
        size: Side of the crop.
        padding: Pixels on each side.
    """

    def __init__(self, size: int, padding: int = 0) -> None:
        self.size, self.padding = size, padding

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        image = mmcv.impad(results["img"], padding=self.padding)
        height, width = image.shape[:2]
        if min(height, width) < self.size:
            raise UserError(
                f"size ({self.size}) must not exceed the image ({width}x{height}, padding included); resize it first, or raise padding."
            )
        top, left = np.random.randint(height - self.size + 1), np.random.randint(width - self.size + 1)
        results["img"], results["img_shape"] = (
            image[top : top + self.size, left : left + self.size],
            (self.size, self.size),
        )
        return results

    def __repr__(self) -> str:
        return f"RandomCropImage(size={self.size}, padding={self.padding})"
