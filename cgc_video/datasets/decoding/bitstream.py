"""What the bytes of a packet say: random access points of H.264 and HEVC, hidden frames of VP9.

Sources: ITU-T H.264 (7.3.1, 7.4.1, D.2.8), ITU-T H.265 (7.4.2.2), ISO/IEC 14496-15 (5.3.3, 8.3.3), and the VP9 bitstream
specification 0.6 (6.2, annex B).
"""

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Picture", "nal_length_size", "nal_units", "read_picture", "vp9_is_hidden"]


def nal_length_size(codec: str, extradata: bytes | None) -> int | None:
    """Bytes of the length before each NAL unit, from the configuration record of MP4 and Matroska; None without one."""
    at = {"h264": 4, "hevc": 21}[codec]
    if not extradata or len(extradata) < at + 2 or extradata[0] != 1:
        return None
    return (extradata[at] & 3) + 1


class Picture(NamedTuple):
    """What the packet of one picture says.

    Attributes:
        is_start: Whether every picture behind it, in decoding and in display order, decodes exactly if one starts here.
            H.264: an IDR picture, or a recovery point of zero frames with exact match. HEVC: an IRAP picture.
        is_reference: Whether another picture of its temporal layer may refer to it.
        layer: The temporal layer; in HEVC, a picture without ``is_reference`` may still serve the layers above its own.
    """

    is_start: bool
    is_reference: bool
    layer: int


def nal_units(data: bytes, length_size: int) -> Iterator[tuple[int, int]]:
    """Where each NAL unit of a packet starts, header first, and ends."""
    position = 0
    while position + length_size + 2 <= len(data):
        start = position + length_size
        position = start + int.from_bytes(data[position:start], "big")
        yield start, position


def read_picture(codec: str, data: bytes, length_size: int) -> Picture | None:
    """Read the packet of an H.264 or HEVC picture; None if there is no slice in it."""
    recovers = False
    for start, end in nal_units(data, length_size):
        header = data[start]
        if codec == "hevc":
            kind = (header >> 1) & 0x3F
            if kind < 32:  # the first slice decides
                return Picture(16 <= kind <= 23, kind >= 16 or kind % 2 == 1, max(0, (data[start + 1] & 7) - 1))
        else:
            kind = header & 0x1F
            if kind == 6:
                recovers = recovers or _recovers_at_once(data[start + 1 : end])
            elif 1 <= kind <= 5:
                return Picture(kind == 5 or recovers, header & 0x60 != 0, 0)
    return None


def _recovers_at_once(sei: bytes) -> bool:
    """Whether SEI messages hold a recovery point with ``recovery_frame_cnt == 0`` and ``exact_match_flag == 1``."""
    sei = sei.replace(b"\0\0\3", b"\0\0")
    position = 0
    while position + 2 < len(sei):
        fields = []
        for _ in range(2):  # payload type, payload size
            value = 0
            while position < len(sei) and sei[position] == 0xFF:
                value, position = value + 255, position + 1
            if position >= len(sei):
                return False
            fields.append(value + sei[position])
            position += 1
        if fields[0] == 6 and position < len(sei):
            return sei[position] & 0xC0 == 0xC0
        position += fields[1]
    return False


def vp9_is_hidden(data: bytes) -> bool:
    """Whether a packet holds a single frame that is not shown, so that no frame comes out of it."""
    marker = data[-1]
    if marker & 0xE0 == 0xC0:  # a superframe: several frames, the last of them shown
        size = 2 + ((marker & 7) + 1) * ((marker >> 3 & 3) + 1)
        if len(data) >= size and data[len(data) - size] == marker:
            return False
    first = data[0]
    shift = 2 if first & 0x30 == 0x30 else 3  # profile 3 has one more bit
    shows_existing = first >> shift & 1
    if shows_existing:
        return False
    shown = first >> (shift - 2) & 1
    return not shown
