"""Frames through decord: one thread, opened for one sample and dropped behind it (decord issues 157, 213, 269, 280)."""

import os

from ...errors import UserError
from .container import check_file
from .errors import DecodeError
from .video import TIME_LIMIT_SECONDS, Put, VideoFile

__all__ = ["DecordVideo"]

# Frames per call: large ones must not pile up before they are resized.
_BATCH = 16


class DecordVideo(VideoFile):
    """A video read through decord, in this process; a call that hangs cannot be ended here (see ``helper``)."""

    def __init__(self, path: str | os.PathLike, time_limit: float | None = TIME_LIMIT_SECONDS) -> None:
        super().__init__(path, time_limit)
        try:
            import decord
        except ImportError as error:
            raise UserError(
                "backend ('decord') is not installed: pip install decord, or take backend='pyav'."
            ) from error
        check_file(self.path)
        try:
            self._reader = decord.VideoReader(os.path.abspath(self.path), num_threads=1)
            self.num_frames = len(self._reader)
            self.fps = float(self._reader.get_avg_fps())
        except (RuntimeError, decord.DECORDError) as error:
            raise DecodeError(self.path, _why_not_opened(self.path)) from error
        if not self.num_frames:
            raise DecodeError(self.path, "zero frames")
        self._errors = (RuntimeError, decord.DECORDError)

    def _decode(self, indices: list[int], put: Put) -> None:
        for start in range(0, len(indices), _BATCH):
            self.deadline.check()
            batch = indices[start : start + _BATCH]
            try:
                images = self._reader.get_batch(batch).asnumpy()
            except self._errors as error:
                raise DecodeError(self.path, f"decord cannot read frames {batch[0]} to {batch[-1]}") from error
            for number, image in zip(batch, images, strict=True):
                put(number, image)

    def close(self) -> None:
        self._reader = None


def _why_not_opened(path: str) -> str:
    """What PyAV finds wrong with a file; decord's own words are a trace of its source lines."""
    from .container import codec_name, open_stream

    try:
        with open_stream(path) as (_, stream):
            return f"decord cannot open {codec_name(stream)}; backend='pyav' does"
    except DecodeError as error:
        return error.reason
