"""Frames through OpenCV, from the first on: its seeking is wrong on several kinds of files."""

import os
from collections import OrderedDict

import cv2

from .container import check_file, file_key, open_stream
from .errors import DecodeError
from .rgb import upright
from .video import TIME_LIMIT_SECONDS, Put, VideoFile

__all__ = ["OpenCVVideo"]


class OpenCVVideo(VideoFile):
    """A video read through OpenCV's own FFmpeg. Its colours are BT.601 whatever the file's tags say."""

    def __init__(self, path: str | os.PathLike, time_limit: float | None = TIME_LIMIT_SECONDS) -> None:
        super().__init__(path, time_limit)
        check_file(self.path)
        self._key = file_key(self.path)
        self._open()
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS)) or 0.0
        if self._key not in _COUNTS:  # the count that OpenCV states is an estimate
            _COUNTS[self._key] = self._count()
            if len(_COUNTS) > _COUNTS_KEPT:
                _COUNTS.popitem(last=False)
        self.num_frames = _COUNTS[self._key]

    def _open(self) -> None:
        # FFmpeg by name: other parts of OpenCV take images for films; one thread, as the other back ends
        self._capture = cv2.VideoCapture(os.path.abspath(self.path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        if not self._capture.isOpened():
            with open_stream(self.path):  # says what is wrong
                raise DecodeError(self.path, "OpenCV cannot open it; backend='pyav' does")
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        self._degrees = -self._capture.get(cv2.CAP_PROP_ORIENTATION_META)

    def _count(self) -> int:
        count = 0
        while self._capture.grab():
            self.deadline.check()
            count += 1
        if not count:
            raise DecodeError(self.path, "zero frames")
        self._open()
        return count

    def _decode(self, indices: list[int], put: Put) -> None:
        wanted = set(indices)
        self._open()
        for number in range(indices[-1] + 1):
            self.deadline.check()
            if not self._capture.grab():
                raise DecodeError(self.path, f"damaged ({number} of {self.num_frames} frames can be decoded)")
            if number in wanted:
                whole, image = self._capture.retrieve()
                if not whole:
                    raise DecodeError(self.path, f"OpenCV cannot read frame {number}; backend='pyav' does")
                put(number, upright(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), self._degrees))

    def close(self) -> None:
        self._capture.release()


_COUNTS: OrderedDict[tuple[str, int, int], int] = OrderedDict()
_COUNTS_KEPT = 2**16
