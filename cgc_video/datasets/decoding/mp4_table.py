"""Index an MP4 or MOV file by its own tables, without demuxing it, where they prove what demuxing would tell.

That is so for H.264 without B-frames, as ``tools/data/reencode.py`` writes it: shown in decoding order (the sequence
parameter set says so), time stamps without offsets (no ``ctts`` box), nothing that changes or adds packets on the way
(one video stream with one description, no fragments, no edit list that leaves frames out). The table says where each
packet lies; its bytes are looked at as in ``packets``, and handed to the decoder only where they are needed.
"""

import mmap
import os
from collections.abc import Sequence

import av
import numpy as np

from . import packets
from .bitstream import nal_length_size, nal_units, read_picture
from .container import codec_name
from .h264_parameters import h264_is_interlaced, h264_keeps_order
from .packets import HOLE, PacketIndex
from .structure import mp4_boxes

__all__ = ["may_have_table", "read_table"]

_KEY = 1  # FFmpeg's AVINDEX_KEYFRAME; its other flags leave frames out
_SPS = 7
# Boxes that shift time stamps, announce fragments, or hide the others by compression.
_REFUSED = (b"ctts", b"mvex", b"cmov")


def may_have_table(path: str) -> bool:
    """Whether a file is worth opening by its tables: MP4 or MOV, its ``moov`` box without what rules them out."""
    if not hasattr(av.stream.Stream, "index_entries"):  # PyAV before 17
        return False
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        boxes = list(mp4_boxes(data))
        kinds = [kind for kind, _, _ in boxes]
        if kinds.count(b"moov") != 1 or b"moof" in kinds:
            return False
        _, start, end = boxes[kinds.index(b"moov")]
        moov = data[start:end]
    # bytes that look like a box and are none only send the file to the demuxer
    descriptions = {int.from_bytes(part[4:8], "big") for part in moov.split(b"stsd")[1:]}
    return descriptions == {1} and not any(kind in moov for kind in _REFUSED)


def read_table(path: str, container, stream) -> PacketIndex | None:
    """The index that ``read_packets`` would give; None where the tables do not prove it, or there may be damage.

    Args:
        container, stream: Of a file that ``may_have_table``, opened by its tables.
    """
    if len(container.streams.video) != 1 or codec_name(stream) != "h264":
        return None
    extradata = stream.codec_context.extradata
    length_size = nal_length_size("h264", extradata)
    if length_size is None or h264_is_interlaced(extradata) or not h264_keeps_order(extradata):
        return None
    entries = stream.index_entries[:]
    if not entries or len(entries) != stream.frames or os.path.getsize(path) > packets.KEPT_BYTES:
        return None
    with open(path, "rb") as file:
        data = file.read()
    first = np.array([entry.pos for entry in entries], np.int64)
    size = np.array([entry.size for entry in entries], np.int64)
    pts = np.array([entry.timestamp for entry in entries], np.int64)
    flags = np.array([entry.flags for entry in entries], np.int64)
    keys = flags == _KEY
    if not keys[0] or ((flags != 0) & ~keys).any() or (np.diff(pts) <= 0).any():
        return None
    if (size < length_size + 2).any() or (first + size > len(data)).any() or _has_hole(data, first, first + size):
        return None
    found = Packets(data, first, size, pts)
    if (pictures := _pictures(found, first + length_size, length_size)) is None:
        return None
    is_start, is_reference = pictures
    if not np.array_equal(is_start, keys):
        return None
    hidden = np.zeros(len(pts), dtype=bool)
    return PacketIndex(
        found, pts, np.arange(len(pts)), np.flatnonzero(is_start), ~is_reference, hidden, keys, why_not=None
    )


class Packets(Sequence):
    """The packets of a file in memory, each made when it is asked for; they say no more than a decoder wants to know."""

    def __init__(self, data: bytes, first: np.ndarray, size: np.ndarray, pts: np.ndarray) -> None:
        self.data, self.first, self.size, self.pts = data, first.tolist(), size.tolist(), pts.tolist()

    def __len__(self) -> int:
        return len(self.pts)

    def content(self, position: int) -> bytes:
        """The bytes of a packet."""
        return self.data[self.first[position] : self.first[position] + self.size[position]]

    def __getitem__(self, position: int) -> av.Packet:
        packet = av.Packet(self.size[position])  # with the padding that decoders want
        packet.update(self.content(position))
        packet.pts = packet.dts = self.pts[position]
        return packet


def _has_hole(data: bytes, first: np.ndarray, end: np.ndarray) -> bool:
    """Whether a packet holds a run of zeros as lost blocks leave it."""
    at = data.find(HOLE, int(first.min()))
    while at >= 0:
        before = first <= at
        if (before & (at + len(HOLE) <= end)).any():
            return True
        behind = first[~before]
        at = data.find(HOLE, int(behind.min())) if len(behind) else -1
    return False


def _pictures(found: Packets, headers: np.ndarray, length_size: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Which packets are starting points, and which are referred to; None if one holds no picture or a new sequence.

    Args:
        headers: Where the first NAL unit of each packet starts.
    """
    first = np.frombuffer(found.data, np.uint8)[headers]
    kinds = first & 0x1F
    is_start, is_reference = kinds == 5, first & 0x60 != 0
    for position in np.flatnonzero((kinds != 1) & (kinds != 5)):  # something stands before the slice
        content = found.content(position)
        picture = read_picture("h264", content, length_size)
        if picture is None or any(content[start] & 0x1F == _SPS for start, _ in nal_units(content, length_size)):
            return None
        is_start[position], is_reference[position] = picture.is_start, picture.is_reference
    return is_start, is_reference
