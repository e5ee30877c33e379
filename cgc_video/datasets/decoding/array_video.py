"""Frames that are in memory already, read as a video is."""

import numpy as np

from ...errors import UserError
from .video import Put, VideoFile

__all__ = ["ArrayVideo"]


class ArrayVideo(VideoFile):
    """An array of frames.

    Args:
        frames: ``(T, H, W, 3)`` uint8 RGB.
        name: What messages call it.

    Raises:
        UserError: If it is of another shape or type, or empty.
    """

    def __init__(self, frames: np.ndarray, name: str = "array", fps: float = 0.0) -> None:
        super().__init__(name, time_limit=None)
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not frames.size:
            raise UserError(
                f"{name} ({frames.dtype}, {frames.shape}) must be frames (T, H, W, 3) in uint8, RGB, and not empty."
            )
        self.array, self.num_frames, self.fps = frames, len(frames), fps

    def _decode(self, indices: list[int], put: Put) -> None:
        for index in indices:
            put(index, self.array[index])
