"""``FrameDecode``: what ``RawFrameDecode`` is in MMAction2, for folders of images; ``FrameOpen`` comes before planned steps."""

import os
from typing import Any

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import UserError
from ..decoding.errors import DecodeError
from ..decoding.frames import frame_size, read_frames
from ..decoding.jpeg import JPEG_BACKENDS, choose_jpeg_backend
from .planned import take_plan
from .unique import put_frames, remember_size, wanted_frames

__all__ = ["FrameDecode", "FrameOpen"]


@TRANSFORMS.register_module()
class FrameOpen(BaseTransform):
    """Look up the size of a folder's frames in the header of the first.

    Steps with ``lazy=True`` before ``FrameDecode`` need it.

    Required keys: ``frame_dir``, ``filename_tmpl``, ``start_index``. Added key: ``img_shape``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        first = results.get("start_index", 1) + results.get("offset", 0)
        results["img_shape"] = frame_size(results["frame_dir"], results["filename_tmpl"], first)
        return results


@TRANSFORMS.register_module()
class FrameDecode(BaseTransform):
    """Decode the sampled frames of a folder.

    Required keys: ``frame_dir``, ``filename_tmpl``, ``frame_inds``, and ``offset`` where a clip is a part of a folder.
    Added keys: ``imgs``, ``original_shape``, ``img_shape``; with ``unique``, ``frame_places``. Each needed frame is
    decoded once. What steps with ``lazy=True`` planned is done to each frame as it comes (see ``planned``), and a JPEG
    of twice the needed size or more is decoded at a half, a quarter or an eighth of it.

    Args:
        backend: ``"auto"`` (simplejpeg if installed, else cv2), ``"simplejpeg"`` or ``"cv2"``; same pixels, see
            ``decoding.jpeg``.
        unique: Keep each frame once, for ``LazyViews``.
        reduce: With planned steps, decode JPEG at a reduced size where it suffices; False keeps the pixels of a full
            decode.
    Raises:
        DecodeError: If a frame is missing or damaged; names it.
    """

    def __init__(self, backend: str = "auto", unique: bool = False, reduce: bool = True) -> None:
        if backend not in JPEG_BACKENDS:
            raise UserError(f"backend ({backend}) must be one of {list(JPEG_BACKENDS)}.")
        choose_jpeg_backend(backend)
        self.backend, self.unique, self.reduce = backend, unique, reduce

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        if results.get("modality", "RGB") != "RGB":
            raise UserError(f"modality ({results['modality']}) must be RGB; take MMAction2's RawFrameDecode for flow.")
        indices, places = wanted_frames(results)
        plan, sizes = take_plan(results), []
        at_least = plan.at_least if plan is not None and self.reduce else None
        apply = remember_size(plan, sizes)
        numbers = indices + results.get("offset", 0)
        images = read_frames(results["frame_dir"], results["filename_tmpl"], numbers, self.backend, apply, at_least)
        original = sizes[0] if plan is None else plan.original
        self._check_sizes(images, results["frame_dir"])
        return put_frames(results, images, places, original, self.unique)

    def _check_sizes(self, images: list[np.ndarray], folder: str) -> None:
        sizes = {image.shape[:2] for image in images}
        if len(sizes) > 1:
            raise DecodeError(os.fspath(folder), f"frames of different sizes ({sorted(sizes)})")

    def __repr__(self) -> str:
        return f"FrameDecode(backend={self.backend!r}, unique={self.unique}, reduce={self.reduce})"
