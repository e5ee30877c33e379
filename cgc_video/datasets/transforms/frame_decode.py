"""``FrameDecode``: what ``RawFrameDecode`` is in MMAction2, for folders of images; ``FrameOpen`` comes before planned steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import UserError
from ..decoding.frames import frame_size, read_frames
from ..decoding.jpeg import JPEG_BACKENDS, choose_jpeg_backend
from .planned import take_plan
from .stepwise import StepNotes
from .unique import put_frames, wanted_frames

__all__ = ["FrameDecode", "FrameOpen"]


@TRANSFORMS.register_module()
class FrameOpen(BaseTransform):
    """Look up the size of a folder's frames in the header of the first.

    Steps with ``lazy=True`` before ``FrameDecode`` need it.

    Required keys: ``frame_dir``, ``filename_tmpl``, ``start_index``. Added keys: ``img_shape``, and ``lazy`` for those steps.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        first = results.get("start_index", 1) + results.get("offset", 0)
        results["img_shape"] = frame_size(results["frame_dir"], results["filename_tmpl"], first)
        results["lazy"] = StepNotes(results)
        return results


@TRANSFORMS.register_module()
class FrameDecode(BaseTransform):
    """Decode the sampled frames of a folder.

    Required keys: ``frame_dir``, ``filename_tmpl``, ``frame_inds``, and ``offset`` where a clip is a part of a folder.
    Added keys: ``imgs``, ``original_shape``, ``img_shape``; with ``unique``, ``frame_places``. Each needed frame is
    decoded once. What steps with ``lazy=True`` planned is done to each frame as it comes:

    - at once, by default (see ``planned``): one crop, one resize. A JPEG of twice the needed size or more is decoded at a
      half, a quarter or an eighth of it, and simplejpeg is told to be fast. The pixels are close to those of the same
      steps without ``lazy``: on frames of real clips they differ by 1 to 3 of 255 on average.
    - with ``exact=True``, one step after the other (see ``stepwise``), with the pixels of the same steps without ``lazy``:
      no more than one frame is held at its full size, which saves time, too, where memory comes fresh from the kernel.

    Args:
        backend: ``"auto"`` (simplejpeg if installed, else cv2), ``"simplejpeg"`` or ``"cv2"``; same pixels where not
            reduced, see ``decoding.jpeg``.
        unique: Keep each frame once, for ``LazyViews``.
        reduce: With planned steps, decode JPEG fast and at a reduced size where it suffices; False has the pixels of
            MMAction2's ``Fuse``.
        exact: Carry planned steps out one by one; takes ``FrameOpen`` before the first of them, and reduces nothing.
    Raises:
        DecodeError: If a frame is missing or damaged; names it.
    """

    def __init__(self, backend: str = "auto", unique: bool = False, reduce: bool = True, exact: bool = False) -> None:
        if backend not in JPEG_BACKENDS:
            raise UserError(f"backend ({backend}) must be one of {list(JPEG_BACKENDS)}.")
        choose_jpeg_backend(backend)
        self.backend, self.unique, self.reduce, self.exact = backend, unique, reduce, exact

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        if results.get("modality", "RGB") != "RGB":
            raise UserError(f"modality ({results['modality']}) must be RGB; take MMAction2's RawFrameDecode for flow.")
        indices, places = wanted_frames(results)
        notes, plan = results.get("lazy"), take_plan(results)
        if isinstance(notes, StepNotes) and not notes.steps:
            plan = None
        finish: Callable[[np.ndarray], np.ndarray] | None = plan
        at_least = plan.at_least if plan is not None and self.reduce else None
        if plan is not None and self.exact:
            if not isinstance(notes, StepNotes):
                raise UserError("exact=True wants to know each planned step: put FrameOpen before the first of them.")
            finish, at_least = notes.carry_out, None
        numbers = indices + results.get("offset", 0)
        images = read_frames(results["frame_dir"], results["filename_tmpl"], numbers, self.backend, finish, at_least)
        original = images[0].shape[:2] if plan is None else plan.original
        put_frames(results, images, places, original, self.unique)
        if isinstance(images, np.ndarray) and np.array_equal(places, np.arange(len(images))) and not self.unique:
            results["imgs"] = images  # one array as it is; FormatShape would copy a list of its parts
        return results

    def __repr__(self) -> str:
        return f"FrameDecode(backend={self.backend!r}, unique={self.unique}, reduce={self.reduce}, exact={self.exact})"
