"""Frames through torchcodec in its exact seek mode (the approximate one is wrong on variable frame rates)."""

import os

from ...errors import UserError
from .container import check_file
from .errors import DecodeError
from .video import TIME_LIMIT_SECONDS, Put, VideoFile

__all__ = ["TorchCodecVideo"]

# Frames per call: between calls the time limit is looked at.
_BATCH = 16


class TorchCodecVideo(VideoFile):
    """A video read through torchcodec, where it is installed together with FFmpeg's libraries."""

    def __init__(self, path: str | os.PathLike, time_limit: float | None = TIME_LIMIT_SECONDS) -> None:
        super().__init__(path, time_limit)
        decoder = _decoder_type()
        check_file(self.path)
        try:
            self._decoder = decoder(
                os.path.abspath(self.path), seek_mode="exact", num_ffmpeg_threads=1, dimension_order="NHWC"
            )
        except (RuntimeError, ValueError) as error:
            raise DecodeError(self.path, _first_line(error)) from error
        self.num_frames = self._decoder.metadata.num_frames or 0
        self.fps = float(self._decoder.metadata.average_fps or 0.0)
        if not self.num_frames:
            raise DecodeError(self.path, "zero frames")

    def _decode(self, indices: list[int], put: Put) -> None:
        for start in range(0, len(indices), _BATCH):
            self.deadline.check()
            batch = indices[start : start + _BATCH]
            try:
                images = self._decoder.get_frames_at(batch).data.numpy()
            except RuntimeError as error:
                raise DecodeError(self.path, _first_line(error)) from error
            for number, image in zip(batch, images, strict=True):
                put(number, image)

    def close(self) -> None:
        self._decoder = None


def _decoder_type() -> type:
    try:
        from torchcodec.decoders import VideoDecoder
    except ImportError as error:
        raise UserError(
            "backend ('torchcodec') is not installed: pip install torchcodec, or take backend='pyav'."
        ) from error
    except (RuntimeError, OSError) as error:
        raise UserError(
            "backend ('torchcodec') is installed and does not load: it wants FFmpeg's shared libraries (versions 4 to 8) "
            "and a matching torch; install FFmpeg, or take backend='pyav'."
        ) from error
    return VideoDecoder


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
