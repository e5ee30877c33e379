"""Steps for single images besides those of ``mmcv.transforms``, whose keys they share: ``img``, ``img_path``, ``img_shape``."""

from typing import Any

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform

from ...errors import UserError
from ..decoding.jpeg import JPEG_BACKENDS, choose_jpeg_backend
from ..images.decode import decode_photo

__all__ = ["CropBorder", "LoadImage", "PackImage"]


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Decode ``img_path`` to upright RGB, whatever its format (see ``images.decode``).

    What ``LoadImageFromFile`` of mmcv is, which gives BGR, and passes over what is missing of a file.

    Added keys: ``img`` ``(H, W, 3)`` uint8, ``img_shape``, ``ori_shape``.

    Args:
        backend: For JPEG: ``"auto"`` (simplejpeg if installed, else cv2), ``"simplejpeg"`` or ``"cv2"``; same pixels.
    Raises:
        DecodeError: If the file cannot be decoded; says why.
    """

    def __init__(self, backend: str = "auto") -> None:
        if backend not in JPEG_BACKENDS:
            raise UserError(f"backend ({backend}) must be one of {list(JPEG_BACKENDS)}.")
        choose_jpeg_backend(backend)
        self.backend = backend

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        image = decode_photo(results["img_path"], self.backend)
        results.update(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])
        return results

    def __repr__(self) -> str:
        return f"LoadImage(backend={self.backend!r})"


@TRANSFORMS.register_module()
class CropBorder(BaseTransform):
    """Cut ``width`` pixels off each side: ObjectNet's images have a red border of 2."""

    def __init__(self, width: int = 2) -> None:
        self.width = width

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        height, width = results["img"].shape[:2]
        if min(height, width) <= 2 * self.width:
            raise UserError(
                f"{results.get('img_path')} ({width}x{height}) has no pixels inside a border of {self.width}; leave CropBorder out."
            )
        image = results["img"][self.width : height - self.width, self.width : width - self.width]
        results["img"], results["img_shape"] = image, image.shape[:2]
        return results

    def __repr__(self) -> str:
        return f"CropBorder(width={self.width})"


@TRANSFORMS.register_module()
class PackImage(BaseTransform):
    """End a pipeline: ``inputs``, uint8 ``(3, H, W)``, and ``data_samples``, an ``ActionDataSample`` with the label.

    Args:
        meta_keys: What goes into the metainfo of the data sample, as far as it is there.
    """

    def __init__(self, meta_keys: tuple[str, ...] = ("img_path", "ori_shape", "img_shape", "flip")) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        meta = {key: results[key] for key in self.meta_keys if key in results}
        sample = ActionDataSample(metainfo=meta).set_gt_label(results["label"])
        inputs = torch.from_numpy(np.ascontiguousarray(results["img"].transpose(2, 0, 1)))
        return {"inputs": inputs, "data_samples": sample}

    def __repr__(self) -> str:
        return f"PackImage(meta_keys={self.meta_keys})"
