"""Open a file with PyAV, choose its video stream, and say in one clause what is wrong with a file that has none."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from .errors import DecodeError
from .structure import structure_fault

__all__ = ["check_file", "codec_name", "file_key", "open_stream", "stream_fps"]

_CODEC_OF_DECODER = {"libdav1d": "av1", "libaom-av1": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9"}


def check_file(path: str | os.PathLike) -> None:
    """Refuse what need not be opened: nothing there, a folder, a pipe, no bytes, or a file of which a part is missing.

    Raises:
        DecodeError: With the reason.
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise DecodeError(path, "a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise DecodeError(path, "not a regular file")  # a pipe would be waited on for ever
        if status.st_size == 0:
            raise DecodeError(path, "empty (0 bytes)")
        if reason := structure_fault(path):
            raise DecodeError(path, reason)
    except FileNotFoundError as error:
        raise DecodeError(path, "missing") from error
    except OSError as error:
        raise DecodeError(path, f"not readable ({error.strerror})") from error
    except DecodeError:
        raise
    except ValueError as error:  # a name that no file can have; or it was emptied just now
        raise DecodeError(path, f"not readable ({error})") from error


# No decoder may be used while a file is opened: FFmpeg decodes its first frames only to learn their pixel format, which
# takes twice as long as all the rest. A stream's own context is not bound by it.
_BY_TABLES = {"format": "mp4", "options": {"codec_whitelist": "none"}}


@contextmanager
def open_stream(
    path: str | os.PathLike, by_tables: bool = False
) -> Iterator[tuple[av.container.InputContainer, av.video.stream.VideoStream]]:
    """Open a file and choose its best video stream, one decoding thread, closed at the end.

    The best stream is FFmpeg's choice, as decord's: the largest picture, and no cover image where there is a film.

    Args:
        by_tables: Believe the tables of an MP4 file, which ``check_file`` let pass, and decode nothing to find out more.
    Raises:
        DecodeError: If the file cannot be opened or holds no video.
    """
    if not by_tables:
        check_file(path)
    try:
        # absolute, since FFmpeg takes what stands before a colon for a protocol
        container = av.open(os.path.abspath(path), metadata_errors="ignore", **(_BY_TABLES if by_tables else {}))
    except (av.error.FFmpegError, ValueError) as error:
        raise DecodeError(path, _why_not_opened(error)) from error
    with container:
        stream = container.streams.best("video")
        if stream is None:
            raise DecodeError(path, "audio only" if container.streams.audio else "no video stream in it")
        if stream.codec_context is None:
            raise DecodeError(path, f"no decoder is known for its codec ({_tag(stream)})")
        stream.codec_context.thread_count = 1
        yield container, stream


def _why_not_opened(error: Exception) -> str:
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError):
        return "not a video"
    return f"not opened by PyAV ({getattr(error, 'strerror', None) or error})"


def _tag(stream: av.video.stream.VideoStream) -> str:
    """The four letters by which a container names a codec, as far as they are letters."""
    tag = str(getattr(stream, "codec_tag", "") or "").strip("\0 ")
    return tag if tag.isascii() and tag.isprintable() and tag else "unnamed"


def codec_name(stream: av.video.stream.VideoStream) -> str:
    """The codec, by FFmpeg's name for it; a decoder may have another (libdav1d decodes av1)."""
    return _CODEC_OF_DECODER.get(stream.codec_context.name, stream.codec_context.name)


def stream_fps(stream: av.video.stream.VideoStream) -> float:
    """Average frames per second; 0 where the file does not say."""
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else 0.0


def file_key(path: str | os.PathLike) -> tuple[str, int, int]:
    """What a remembered fact about a file hangs on: its absolute path, size and time of change."""
    status = os.stat(path)
    return str(Path(path).absolute()), status.st_size, status.st_mtime_ns
