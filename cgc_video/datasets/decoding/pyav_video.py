"""Frames through PyAV: selective decoding where the index of the file allows it, sequential decoding elsewhere."""

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress

import av

from .container import check_file, file_key, open_stream, stream_fps
from .errors import DecodeError
from .mp4_table import may_have_table, read_table
from .packets import PacketIndex, read_packets
from .selective import Untrusted, decode_selected
from .sequential import count_frames, decode_all, decode_counted
from .video import TIME_LIMIT_SECONDS, Put, VideoFile

__all__ = ["PyAVVideo"]

# Frame counts of files whose index does not say, so that a worker counts each file once.
_COUNTS: OrderedDict[tuple[str, int, int], int] = OrderedDict()
_COUNTS_KEPT = 2**16


class PyAVVideo(VideoFile):
    """A video read through PyAV.

    Attributes:
        why_sequential: Why frames are found by decoding from the first on; None where only the needed ones are decoded.
    """

    def __init__(self, path: str | os.PathLike, time_limit: float | None = TIME_LIMIT_SECONDS) -> None:
        super().__init__(path, time_limit)
        self._stack = ExitStack()
        try:
            stream, self._index = self._open()
            self.fps = stream_fps(stream)
            self._context = stream.codec_context
            self._key = file_key(self.path)
            self.why_sequential = self._index.why_not
            if self._key in _COUNTS:
                self.num_frames = _COUNTS[self._key]
                self.why_sequential = self.why_sequential or "the decoder disagrees with its index"
            elif len(self._index.shown):
                self.num_frames = len(self._index.shown)
            else:
                self.num_frames = self._count()
        except BaseException:
            self.close()
            raise

    def _open(self) -> tuple[av.video.stream.VideoStream, PacketIndex]:
        check_file(self.path)
        if may_have_table(self.path):
            with suppress(DecodeError):  # the ordinary way says what is wrong
                container, stream = self._stack.enter_context(open_stream(self.path, by_tables=True))
                if (index := read_table(self.path, container, stream)) is not None:
                    return stream, index
            self._stack.close()
        container, stream = self._stack.enter_context(open_stream(self.path))
        return stream, read_packets(self.path, container, stream, self.deadline)

    def _count(self) -> int:
        count = count_frames(self.path, self._context, self._packets(), self.deadline)
        self._context.flush_buffers()
        _COUNTS[self._key] = count
        if len(_COUNTS) > _COUNTS_KEPT:
            _COUNTS.popitem(last=False)
        return count

    def _packets(self) -> Iterable[av.Packet]:
        if self._index.packets is not None:
            return self._index.packets
        return self._read_again()

    def _read_again(self) -> Iterator[av.Packet]:
        with open_stream(self.path) as (container, stream):
            yield from (packet for packet in container.demux(stream) if packet.size)

    def _decode(self, indices: list[int], put: Put) -> None:
        if self.why_sequential is None:
            try:
                decode_selected(self._context, self._packets(), self._index, indices, put, self.deadline)
                return
            except Untrusted:
                self._distrust()
            finally:
                self._context.flush_buffers()
        frames = decode_all(self.path, self._context, self._packets(), self.deadline)
        count = decode_counted(frames, indices, put)
        self._context.flush_buffers()
        if count <= indices[-1]:
            raise DecodeError(self.path, f"damaged ({count} of {self.num_frames} frames can be decoded)")

    def _distrust(self) -> None:
        """Decode from the first frame on, from now on; other numbers of frames mean that some cannot be decoded."""
        self.why_sequential = "the decoder disagrees with its index"
        self._context.flush_buffers()
        count = self._count()
        if count != self.num_frames:
            raise DecodeError(self.path, f"damaged ({count} of {self.num_frames} frames can be decoded)")

    def close(self) -> None:
        self._index = self._context = None
        self._stack.close()
