"""Planned steps carried out one by one: the pixels of the same steps behind decoding, without their copies of whole clips.

MMAction2's steps with ``lazy=True`` merge what they want into one crop and one resize under ``results["lazy"]``. ``StepNotes``
stands there in place of a plain dictionary, and keeps each crop, resize and flip as well, in their order.
"""

from collections.abc import Callable
from typing import Any

import mmcv
import numpy as np

__all__ = ["StepNotes"]


class StepNotes(dict):
    """What ``results["lazy"]`` is to MMAction2's steps, and a list of what they did.

    Args:
        results: The sample, with ``img_shape``; each step writes its size or box there before it writes here.
    """

    def __init__(self, results: dict[str, Any]) -> None:
        height, width = results["img_shape"]
        box = np.array([0, 0, width, height], dtype=np.float32)
        super().__init__(
            original_shape=(height, width), crop_bbox=box, flip=False, flip_direction=None, interpolation=None
        )
        self._results = results
        self.steps: list[Callable[[np.ndarray], np.ndarray]] = []

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if key == "crop_bbox":
            left, top, right, bottom = self._results["crop_bbox"]
            self.steps.append(lambda image: image[top:bottom, left:right])
        elif key == "interpolation":
            self.steps.append(_Resize(self._results["img_shape"], value))
        elif key == "flip_direction" and self["flip"]:
            self.steps.append(lambda image: mmcv.imflip_(image, value))

    def carry_out(self, image: np.ndarray) -> np.ndarray:
        """Do all steps to an image ``(H, W, 3)``, in place where that can be; the result may share its memory."""
        for step in self.steps:
            image = step(image)
        return image


class _Resize:
    """MMAction2's ``Resize`` into memory that the next image takes again."""

    def __init__(self, size: tuple[int, int], interpolation: str) -> None:
        self.size, self.interpolation = size, interpolation
        self._memory: np.ndarray | None = None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        if image.shape[:2] == self.size:
            return image  # a copy otherwise
        self._memory = mmcv.imresize(image, self.size[::-1], interpolation=self.interpolation, out=self._memory)
        return self._memory
