"""``VideoOpen`` and ``VideoDecode``: what ``DecordInit`` and ``DecordDecode`` are in MMAction2, for four back ends."""

import os
from typing import Any

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import UserError
from ..decoding.advice import RISKS, warn_about
from ..decoding.video import BACKENDS, TIME_LIMIT_SECONDS, VideoFile, open_video
from .planned import take_plan
from .unique import put_frames, remember_size, wanted_frames

__all__ = ["VideoDecode", "VideoOpen"]


def _open(path: str, backend: str, time_limit: float | None) -> VideoFile:
    if not os.path.splitext(path)[1]:
        path = f"{path}.mp4"  # as DecordInit reads lists without suffixes
    if backend in RISKS:
        warn_about(path, backend)
    return open_video(path, backend, time_limit)


@TRANSFORMS.register_module()
class VideoOpen(BaseTransform):
    """Open a video and count its frames; goes before the sampling step.

    Required key: ``filename``. Added keys: ``video_reader`` (a ``VideoFile``), ``total_frames``, ``avg_fps``, and
    ``img_shape`` if asked for.

    Args:
        backend: ``"pyav"``, ``"decord"``, ``"opencv"`` or ``"torchcodec"``.
        time_limit: Seconds that opening a file, and decoding a sample from it, may take; None for no limit (then decord
            runs in this process).
        with_size: Look up ``img_shape`` now. Steps with ``lazy=True`` between this one and ``VideoDecode`` need it; it
            costs decoding the first frame.
    Raises:
        DecodeError: If the file cannot be decoded; says why.
    """

    def __init__(
        self, backend: str = "pyav", time_limit: float | None = TIME_LIMIT_SECONDS, with_size: bool = False
    ) -> None:
        if backend not in BACKENDS:
            raise UserError(f"backend ({backend}) must be one of {list(BACKENDS)}.")
        if time_limit is not None and time_limit <= 0:
            raise UserError(f"time_limit ({time_limit}) must be more than 0 seconds, or None.")
        self.backend, self.time_limit, self.with_size = backend, time_limit, with_size

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        video = _open(results["filename"], self.backend, self.time_limit)
        results.update(video_reader=video, total_frames=video.num_frames, avg_fps=video.fps)
        if self.with_size:
            results["img_shape"] = video.size
        return results

    def __repr__(self) -> str:
        return f"VideoOpen(backend={self.backend!r}, time_limit={self.time_limit}, with_size={self.with_size})"


@TRANSFORMS.register_module()
class VideoDecode(BaseTransform):
    """Decode the sampled frames of a video; goes behind the sampling step.

    Required keys: ``frame_inds``, and ``video_reader`` of ``VideoOpen`` (or ``filename``, where the sampling step knew
    the number of frames by itself). Added keys: ``imgs``, ``original_shape``, ``img_shape``; with ``unique``,
    ``frame_places``. Each needed frame is decoded once. What steps with ``lazy=True`` planned is done to each frame as
    it comes (see ``planned``).

    Args:
        backend: As for ``VideoOpen``, and only needed without it (PyAV then, if not given).
        time_limit: Likewise.
        unique: Keep each frame once, for ``LazyViews``.
    Raises:
        DecodeError: If the file cannot be decoded; says why.
    """

    def __init__(
        self, backend: str | None = None, time_limit: float | None = TIME_LIMIT_SECONDS, unique: bool = False
    ) -> None:
        if backend is not None and backend not in BACKENDS:
            raise UserError(f"backend ({backend}) must be one of {list(BACKENDS)}.")
        self.backend, self.time_limit, self.unique = backend, time_limit, unique

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        indices, places = wanted_frames(results)
        plan, sizes = take_plan(results), []
        video = results.pop("video_reader", None)
        if video is None:
            video = _open(results["filename"], self.backend or "pyav", self.time_limit)
        with video:
            images = video.unique_frames(np.asarray(indices), remember_size(plan, sizes))
        return put_frames(results, images, places, sizes[0], self.unique)

    def __repr__(self) -> str:
        return f"VideoDecode(backend={self.backend!r}, time_limit={self.time_limit}, unique={self.unique})"
