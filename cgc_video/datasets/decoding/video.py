"""A video file by frame number: one interface, four decoders.

Frame ``i`` is the i-th frame of a sequential decode, upright, in RGB. PyAV keeps to this for every file that it can
read; OpenCV reads from the first frame on; torchcodec seeks in its exact mode; decord is right for some kinds of files
only (see ``advice``), and is obeyed.
"""

import os
from collections.abc import Callable, Sequence

import numpy as np

from ...errors import UserError
from .container import check_file
from .time_limit import Deadline

__all__ = ["BACKENDS", "TIME_LIMIT_SECONDS", "Put", "VideoFile", "open_video"]

BACKENDS = ("pyav", "decord", "opencv", "torchcodec")
TIME_LIMIT_SECONDS = 60.0


# Takes a frame's number and its image ``(H, W, 3)``.
Put = Callable[[int, np.ndarray], None]


def _keep(image: np.ndarray) -> np.ndarray:
    return image


class VideoFile:
    """An open video; a subclass per decoder. Close it, or use it in a ``with`` statement.

    Attributes:
        path: The file.
        num_frames: Number of frames.
        fps: Average frames per second; 0 where the file does not say.
        deadline: Bounds the time of opening, and of each call.
    """

    num_frames: int
    fps: float

    def __init__(self, path: str | os.PathLike, time_limit: float | None = TIME_LIMIT_SECONDS) -> None:
        self.path = os.fspath(path)
        self.deadline = Deadline(self.path, time_limit)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright frames; decodes the first one where the file's header is not enough."""
        if self._size is None:
            self._size = self.frames([0]).shape[1:3]
        return self._size

    _size: tuple[int, int] | None = None

    def frames(self, indices: Sequence[int], finish: Callable[[np.ndarray], np.ndarray] = _keep) -> np.ndarray:
        """Decode frames; one that is asked for twice is decoded once.

        Args:
            indices: Frame numbers in any order.
            finish: Applied to each decoded frame ``(H, W, 3)`` at once; resizing here keeps large frames from piling
                up.
        Returns:
            ``(len(indices), H, W, 3)`` uint8 RGB, no two of them sharing memory.
        Raises:
            DecodeError: If the file is damaged where it matters, or the time limit is over.
            ValueError: If an index is out of range.
        """
        unique, inverse = np.unique(np.asarray(indices, dtype=np.int64), return_inverse=True)
        images = self.unique_frames(unique, finish)
        return images if np.array_equal(unique, indices) else images[inverse]

    def unique_frames(self, indices: np.ndarray, finish: Callable[[np.ndarray], np.ndarray] = _keep) -> np.ndarray:
        """As ``frames``, for ascending indices, none of them twice."""
        if not len(indices) or indices[0] < 0 or indices[-1] >= self.num_frames:
            raise ValueError(
                f"frame indices ({indices}) must lie in 0 to {self.num_frames - 1}, the frames of {self.path}."
            )
        self.deadline.restart()
        place = {int(number): at for at, number in enumerate(indices)}
        images: np.ndarray | None = None

        def put(number: int, image: np.ndarray) -> None:
            nonlocal images
            image = finish(image)
            if images is None:
                images = np.empty((len(place), *image.shape), np.uint8)
            images[place[number]] = image

        self._decode(list(place), put)
        return images

    def _decode(self, indices: list[int], put: Put) -> None:
        """Call ``put(number, image)`` for each index, in any order; ``indices`` ascend. ``put`` copies the image."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the file and the decoder."""

    def __enter__(self) -> "VideoFile":
        return self

    def __exit__(self, *error) -> None:
        self.close()


def open_video(
    path: str | os.PathLike, backend: str = "pyav", time_limit: float | None = TIME_LIMIT_SECONDS
) -> VideoFile:
    """Open a video.

    Args:
        backend: One of ``BACKENDS``.
        time_limit: Seconds that opening, and each call afterwards, may take; None for no limit.
    Raises:
        DecodeError: If the file cannot be decoded.
        UserError: If the back end is not known or not installed.
    """
    if backend not in BACKENDS:
        raise UserError(f"backend ({backend}) must be one of {list(BACKENDS)}.")
    if backend == "pyav":
        from .pyav_video import PyAVVideo

        return PyAVVideo(path, time_limit)  # looks at the file by itself
    check_file(path)
    if backend == "decord":
        if time_limit is not None:
            from .helped_video import HelpedVideo

            return HelpedVideo(path, backend, time_limit)
        from .decord_video import DecordVideo as Video
    elif backend == "opencv":
        from .opencv_video import OpenCVVideo as Video
    else:
        from .torchcodec_video import TorchCodecVideo as Video
    return Video(path, time_limit)
