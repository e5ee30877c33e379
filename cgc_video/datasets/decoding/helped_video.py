"""A video that the helper process reads."""

import contextlib
import os

from .errors import DecodeError
from .helper import get_helper
from .video import TIME_LIMIT_SECONDS, Put, VideoFile

__all__ = ["HelpedVideo"]

# Frames per request: large ones must not pile up before they are resized.
_BATCH = 16


class HelpedVideo(VideoFile):
    """A video that the helper of this process reads; opening another one closes it."""

    def __init__(self, path: str | os.PathLike, backend: str, time_limit: float | None = TIME_LIMIT_SECONDS) -> None:
        super().__init__(path, time_limit)
        self.backend = backend
        self._open()

    def _open(self) -> None:
        self._helper = get_helper()
        self._helper.files += 1
        self._number = self._helper.files
        self.num_frames, self.fps = self._helper.call(self.deadline, "open", os.path.abspath(self.path), self.backend)

    def _decode(self, indices: list[int], put: Put) -> None:
        if self._helper.connection.closed or self._number != self._helper.files:
            self._open()
        for start in range(0, len(indices), _BATCH):
            batch = indices[start : start + _BATCH]
            images = self._helper.call(self.deadline, "frames", batch)
            for number, image in zip(batch, images, strict=True):
                put(number, image)

    def close(self) -> None:
        helper = self._helper
        if not helper.connection.closed and helper.owner == os.getpid() and helper.files == self._number:
            with contextlib.suppress(DecodeError):  # it is gone then, and with it the file
                helper.call(self.deadline, "close")
