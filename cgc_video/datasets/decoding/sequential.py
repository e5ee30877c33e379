"""Decode from the first frame on and count: the definition of frame ``i``, and the way that is right for every file."""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain

import av
import numpy as np

from .errors import DecodeError
from .rgb import RGBConverter
from .time_limit import Deadline

__all__ = ["count_frames", "decode_all", "decode_counted"]


def decode_all(
    path: str, context: av.VideoCodecContext, packets: Iterable[av.Packet], deadline: Deadline
) -> Iterator[av.VideoFrame]:
    """Decode packets from the first on, and be strict about damage.

    What cannot be decoded before the first frame is passed over: a recording may start in the middle of a GOP.

    Raises:
        DecodeError: At a packet that cannot be decoded, or a frame that the decoder marks as patched up.
    """
    count = 0

    def decode(packet: av.Packet | None) -> list[av.VideoFrame]:
        deadline.check()
        try:
            return context.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError as error:
            if count:
                raise DecodeError(path, f"damaged after frame {count - 1}") from error
            return []

    for packet in chain(packets, (None,)):
        for frame in decode(packet):
            if frame.is_corrupt:
                if count:
                    raise DecodeError(path, f"damaged at frame {count}")
                continue
            yield frame
            count += 1


def count_frames(path: str, context: av.VideoCodecContext, packets: Iterable[av.Packet], deadline: Deadline) -> int:
    """Count the frames of a sequential decode, without converting them.

    Raises:
        DecodeError: If there are none, or the file is damaged.
    """
    count = sum(1 for _ in decode_all(path, context, packets, deadline))
    if not count:
        raise DecodeError(path, "zero frames")
    return count


def decode_counted(
    frames: Iterable[av.VideoFrame],
    wanted: Collection[int],
    put: Callable[[int, np.ndarray], None],
) -> int:
    """Pick frames by counting, and stop behind the last one; returns how many were decoded.

    Args:
        put: Called with the number of each wanted frame and its RGB image.
    """
    convert = RGBConverter()
    wanted, last, count = set(wanted), max(wanted), 0
    for frame in frames:
        convert.see(frame)
        if count in wanted:
            put(count, convert(frame))
        count += 1
        if count > last:
            break
    return count
