"""Decode only what a few frames need: from the last random access point before each to its packet, and no further.

Pictures that no other refers to are left out on the way; H.264 and HEVC mark them. (``skip_frame=NONREF`` would do the
same for H.264, but in HEVC it leaves out pictures that higher temporal layers refer to, and it does not tell which it
left out.) A frame that is shown before the key frame it follows in the file (a leading picture of an open GOP) is
reached from the access point before.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import av
import numpy as np

from .packets import PacketIndex
from .rgb import RGBConverter
from .time_limit import Deadline

__all__ = ["Untrusted", "decode_selected", "segments"]


class Untrusted(Exception):
    """The decoder disagrees with the index: the file must be decoded from its first frame on."""


def segments(index: PacketIndex, wanted: Collection[int]) -> list[tuple[int, int]]:
    """Runs of packets ``(first, last)`` to decode for the wanted frames, ascending and apart."""
    runs: list[tuple[int, int]] = []
    needed = sorted((index.start_for(position), position) for position in index.shown[sorted(wanted)])
    for first, last in needed:
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], int(last)))
        else:
            runs.append((first, int(last)))
    return runs


def _of_runs(packets: Iterable[av.Packet], runs: list[tuple[int, int]]) -> Iterator[tuple[int, av.Packet]]:
    """The packets of some runs, and where they stand."""
    if isinstance(packets, Sequence):
        yield from ((position, packets[position]) for first, last in runs for position in range(first, last + 1))
        return
    stream = enumerate(packets)
    for first, last in runs:
        for position, packet in stream:
            if position >= first:
                yield position, packet
            if position == last:
                break


def decode_selected(
    context: av.VideoCodecContext,
    packets: Iterable[av.Packet],
    index: PacketIndex,
    wanted: Collection[int],
    put: Callable[[int, np.ndarray], None],
    deadline: Deadline,
) -> None:
    """Pick frames by their time stamps.

    Args:
        packets: All packets of the file in decoding order; read up to the last needed one.
        put: Called with the number of each wanted frame and its RGB image.
    Raises:
        Untrusted: If a frame is missing, marked as damaged, out of order or of another size than the first.
    """
    runs = segments(index, wanted)
    firsts, lasts = {first for first, _ in runs}, {last for _, last in runs}
    frame_of = {int(index.pts[index.shown[number]]): number for number in wanted}
    size = (context.width, context.height)
    convert = RGBConverter()
    position = -1
    try:
        for position, packet in _of_runs(packets, runs):
            deadline.check()
            if position in firsts:
                run = _Run(packet.pts)
            if index.optional[position] and packet.pts not in frame_of:
                continue
            if not index.hidden[position]:
                run.expect(packet.pts)
            frames = context.decode(packet)
            if position in lasts:
                frames += context.decode(None)
            for frame in run.check(frames):
                number = frame_of.get(frame.pts)
                if number is not None:
                    if (frame.width, frame.height) != size:
                        raise Untrusted
                    put(number, convert(frame))
            if position in lasts:
                run.end()
                context.flush_buffers()
    except av.error.FFmpegError as error:
        raise Untrusted from error
    if position != runs[-1][1]:  # the file has become shorter
        raise Untrusted


class _Run:
    """The frames of one run: whatever goes in comes out, once, in order and undamaged."""

    def __init__(self, start_pts: int) -> None:
        # what is shown before the starting point refers to frames that are not decoded here
        self.last_pts = start_pts - 1
        self.start_pts = start_pts
        self.expected: set[int] = set()

    def expect(self, pts: int) -> None:
        if pts >= self.start_pts:
            self.expected.add(pts)

    def check(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        good = [frame for frame in frames if frame.pts is None or frame.pts >= self.start_pts]
        for frame in good:
            if frame.is_corrupt or frame.pts not in self.expected or frame.pts <= self.last_pts:
                raise Untrusted
            self.expected.discard(frame.pts)
            self.last_pts = frame.pts
        return good

    def end(self) -> None:
        if self.expected:
            raise Untrusted
