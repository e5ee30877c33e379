"""Demux a file once: its packets, the order in which their frames are shown, and where decoding can start.

Frame ``i`` is the i-th frame of a sequential decode. For the files that ``why_not`` leaves alone it is also the i-th
time stamp in order, so that a frame is found without decoding what lies before its GOP.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np

from .bitstream import Picture, nal_length_size, read_picture, vp9_is_hidden
from .container import codec_name
from .errors import DecodeError
from .h264_parameters import h264_is_interlaced
from .structure import avi_fault
from .time_limit import Deadline

__all__ = ["HOLE", "PacketIndex", "read_packets"]

# Above this size the packets are read a second time to be decoded, rather than kept.
KEPT_BYTES = 64 * 2**20
_CONTAINERS = {"mov", "mp4", "matroska", "webm"}
_CODECS = {"h264", "hevc", "vp9"}
# So many zeros never occur in a packet of these, and a decoder may turn them into a picture.
HOLE = bytes(256)
# Any frame of VP9: its key frames start everything anew, and it marks no frame as unused.
_SHOWN = Picture(is_start=True, is_reference=True, layer=0)
# One packet is one shown frame in these, too, though frames are decoded from the first on.
_COUNTED = {"av1"}


@dataclass
class PacketIndex:
    """The packets of one video stream, in decoding order.

    Attributes:
        packets: The packets, or None where the file is too large to keep them.
        pts: Presentation time stamps ``(P,)`` int64.
        shown: Position of the packet of frame ``i``, ``(F,)``; empty where packets do not tell the number of frames.
        starts: Positions of the random access points, ascending.
        optional: Whether no other picture refers to that of a packet, ``(P,)`` bool.
        hidden: Whether a packet is decoded for the sake of others and not shown (an edit list says so), ``(P,)`` bool.
        keys: Whether the container marks a packet as a key frame, ``(P,)`` bool.
        why_not: Why frames are to be found by decoding from the first on, one clause; None if they need not be.
    """

    packets: Sequence[av.Packet] | None
    pts: np.ndarray
    shown: np.ndarray
    starts: np.ndarray
    optional: np.ndarray
    hidden: np.ndarray
    keys: np.ndarray
    why_not: str | None

    def start_for(self, position: int) -> int:
        """The last random access point that a packet follows in decoding order and in display order."""
        starts = self.starts[: np.searchsorted(self.starts, position, side="right")]
        return int(starts[self.pts[starts] <= self.pts[position]][-1])


def read_packets(path: str, container, stream, deadline: Deadline) -> PacketIndex:
    """Demux a whole file.

    Raises:
        DecodeError: If a packet cannot be read, or there is none.
    """
    codec = codec_name(stream)
    reader = _Reader(path, codec, set(container.format.name.split(",")), stream.codec_context)
    keep = os.path.getsize(path) <= KEPT_BYTES
    packets = []
    try:
        for packet in container.demux(stream):
            deadline.check()
            if packet.size:
                reader.read(packet)
                if keep:
                    packets.append(packet)
    except av.error.FFmpegError as error:
        raise DecodeError(path, f"damaged behind packet {len(reader.pts)} ({error.strerror})") from error
    if not reader.pts:
        raise DecodeError(path, "zero frames")
    # a frame of no bytes is no packet, so that fewer of them alone say nothing
    if container.format.name == "avi" and len(reader.pts) < stream.frames and (reason := avi_fault(path)):
        raise DecodeError(path, reason)
    return reader.index(packets if keep else None)


class _Reader:
    """Collects what the packets of a stream say, one after the other."""

    def __init__(self, path: str, codec: str, formats: set[str], context: av.VideoCodecContext) -> None:
        self.path, self.codec = path, codec
        extradata, self.reorders, self.shifts = context.extradata, context.has_b_frames, False
        self.indexed = bool(formats & _CONTAINERS)
        self.pts: list[int | None] = []
        self.hidden: list[bool] = []
        self.keys: list[bool] = []
        self.pictures: list[Picture] = []
        self.length_size = 0
        self.why_not = None
        if not self.indexed:
            self.why_not = f"the container is {sorted(formats)[0]}"
        elif codec not in _CODECS:
            self.why_not = f"the codec is {codec}"
        elif codec in ("h264", "hevc"):
            self.length_size = nal_length_size(codec, extradata)
            if self.length_size is None:
                self.why_not = f"the {codec} stream is not packed as MP4 wants it"
            elif codec == "h264" and h264_is_interlaced(extradata):
                self.why_not = "it may be interlaced"

    def read(self, packet: av.Packet) -> None:
        """Take the next packet in decoding order."""
        if self.indexed and self.codec in _CODECS:  # in other containers there may be zeros between pictures
            data = bytes(packet)
            if HOLE in data:
                raise DecodeError(self.path, f"damaged (packet {len(self.pts)} has a hole of zero bytes)")
            if self.why_not is None:
                if self.codec == "vp9":
                    picture = None if vp9_is_hidden(data) else _SHOWN
                else:
                    picture = read_picture(self.codec, data, self.length_size)
                if picture is None:
                    self.why_not = f"no frame is shown for packet {len(self.pts)}"
                self.pictures.append(picture)
        self.pts.append(packet.pts)
        self.shifts = self.shifts or packet.pts != packet.dts
        self.hidden.append(packet.is_discard)
        self.keys.append(packet.is_keyframe)

    def index(self, packets: list[av.Packet] | None) -> PacketIndex:
        """Draw the conclusions."""
        stamped = None not in self.pts
        pts = np.array([0 if value is None else value for value in self.pts], dtype=np.int64)
        unique = stamped and len(np.unique(pts)) == len(pts)
        if self.why_not is None:
            self.why_not = self._doubt(pts, stamped, unique)
        hidden = np.array(self.hidden)
        shown = starts = np.zeros(0, dtype=np.int64)
        optional = np.zeros(len(pts), dtype=bool)
        if unique and (self.why_not is None or (self.indexed and self.codec in _COUNTED)):
            order = np.argsort(pts)
            shown = order[~hidden[order]]
        if self.why_not is None:
            starts = np.flatnonzero(np.array([picture.is_start for picture in self.pictures]) & self.keys)
            top = max(picture.layer for picture in self.pictures)
            optional = np.array([not picture.is_reference and picture.layer == top for picture in self.pictures])
        return PacketIndex(packets, pts, shown, starts, optional, hidden, np.array(self.keys), self.why_not)

    def _doubt(self, pts: np.ndarray, stamped: bool, unique: bool) -> str | None:
        if not stamped:
            return "time stamps are missing"
        if not unique:
            return "time stamps are doubled"
        if not (self.pictures[0].is_start and self.keys[0]):
            return "it does not start at a key frame"
        if pts.min() < pts[0]:
            return "frames are shown before the first key frame"
        if self.reorders and not self.shifts:  # as copied from a raw stream
            return "time stamps leave out that frames change their order"
        return None
