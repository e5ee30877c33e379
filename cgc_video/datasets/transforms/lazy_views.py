"""``LazyViews``: hand over each frame once, and where the views of a test sample lie in it."""

from typing import Any

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import UserError

__all__ = ["LazyViews", "crop_boxes"]


def crop_boxes(height: int, width: int, crop_size: tuple[int, int], crops: int) -> np.ndarray:
    """Boxes ``(crops, 4)`` as left, top, right, bottom, as of MMAction2's ``CenterCrop`` (1) or ``ThreeCrop`` (3).

    Args:
        crop_size: Width and height.
    """
    crop_w, crop_h = crop_size
    if crop_w > width or crop_h > height:
        raise UserError(
            f"crop_size ({crop_w}, {crop_h}) must not exceed the frames ({width}, {height}); resize them first."
        )
    if crops == 1:
        offsets = [((width - crop_w) // 2, (height - crop_h) // 2)]
    elif crop_h == height:
        step = (width - crop_w) // 2
        offsets = [(0, 0), (2 * step, 0), (step, 0)]
    elif crop_w == width:
        step = (height - crop_h) // 2
        offsets = [(0, 0), (0, 2 * step), (0, step)]
    else:
        raise UserError(
            f"crop_size ({crop_w}, {crop_h}) must equal one side of the frames ({width}, {height}) for three crops; "
            "resize the short side to it."
        )
    return np.array([(x, y, x + crop_w, y + crop_h) for x, y in offsets], dtype=np.int64)


@TRANSFORMS.register_module()
class LazyViews(BaseTransform):
    """Stands for ``ThreeCrop`` or ``CenterCrop`` and ``FormatShape``; the views are cut by the recognizer, or by ``LazyViewsPreprocessor``.

    10 clips of 32 frames and 3 crops are 960 images, of perhaps 150 different frames. Goes behind
    ``VideoDecode(unique=True)`` or ``FrameDecode(unique=True)``, and before ``PackActionInputs(collect_keys=("frames",
    "frame_places", "boxes"))``. Required keys: ``imgs``, ``frame_places``, ``clip_len``. Added keys:

    - ``frames``: uint8 ``(U, H, W, 3)``, each frame once.
    - ``frame_places``: ``(M,)`` for the format NCHW, ``(M / clip_len, clip_len)`` for NCTHW: which frame each place of
      each clip takes.
    - ``boxes``: ``(crops, 4)``.

    Args:
        crop_size: Side of the crops, or (width, height).
        crops: 1 (centre) or 3.
        input_format: ``"NCHW"`` or ``"NCTHW"``, as for ``FormatShape``.
    """

    def __init__(self, crop_size: int | tuple[int, int], crops: int = 3, input_format: str = "NCTHW") -> None:
        if crops not in (1, 3):
            raise UserError(f"crops ({crops}) must be 1 or 3.")
        if input_format not in ("NCHW", "NCTHW"):
            raise UserError(f"input_format ({input_format}) must be NCHW or NCTHW.")
        self.crop_size = (crop_size, crop_size) if isinstance(crop_size, int) else tuple(crop_size)
        self.crops, self.input_format = crops, input_format

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        if "frame_places" not in results:
            raise UserError("LazyViews wants each frame once: set unique=True in the decoding step before it.")
        images = results.pop("imgs")
        height, width = images[0].shape[:2]
        places = np.asarray(results["frame_places"], dtype=np.int64)
        if self.input_format == "NCTHW":
            places = places.reshape(-1, results["clip_len"])
        results["boxes"] = crop_boxes(height, width, self.crop_size, self.crops)
        results["frames"], results["frame_places"] = np.asarray(images), places
        results["img_shape"] = self.crop_size[::-1]
        return results

    def __repr__(self) -> str:
        return f"LazyViews(crop_size={self.crop_size}, crops={self.crops}, input_format={self.input_format!r})"
