"""Is a file whole? What its own headers say about its length and its parts, looked up in well under a millisecond.

MP4 and MOV (each box states its size), Matroska and WebM (so do the segment, its clusters and their blocks), transport
streams (a sync byte every 188 bytes), and AVI. Decoders pass over a lost part without a word: the frames behind it
would have wrong numbers. What a file does not announce cannot be missed: a transport or program stream may end
anywhere.
"""

import mmap
import os
from collections.abc import Iterator

import numpy as np

__all__ = ["avi_fault", "mp4_boxes", "structure_fault"]

_BOXES = {b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"styp", b"sidx", b"udta", b"uuid", b"pdin"}
_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
# What a segment holds besides clusters, and what a cluster holds.
_IN_SEGMENT = {0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, 0x1254C367, 0x1941A469, 0x1043A770, 0xEC, 0xBF}
_IN_CLUSTER = {0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF, 0xEC, 0xBF}


def structure_fault(path: str | os.PathLike) -> str | None:
    """Say what is missing (``"truncated (36,512 of 81,932 bytes)"``); None if nothing is, or nothing can be said.

    Raises:
        OSError: If the file cannot be read, or is empty.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[4:8] in _BOXES:
            return _mp4_fault(data)
        if int.from_bytes(data[:4], "big") == _EBML:
            return _matroska_fault(data)
        if data[:1] == b"\x47" and data[188:189] == b"\x47":
            return _transport_fault(data)
    return None


def _cut(data: mmap.mmap, announced: int) -> str | None:
    return f"truncated ({len(data):,} of {announced:,} bytes)" if announced > len(data) else None


def mp4_boxes(data: bytes | mmap.mmap) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of the body and stated end of each box at the top, up to bytes that are no box."""
    position = 0
    while position + 8 <= len(data):
        size, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        body = position + 8
        if kind not in _BOXES and not kind.isalnum():
            return
        if size == 0:  # to the end of the file
            size = len(data) - position
        elif size == 1:
            size, body = int.from_bytes(data[body : body + 8], "big"), body + 8
        if size < 8:
            return
        yield kind, body, position + size
        position += size


def _mp4_fault(data: mmap.mmap) -> str | None:
    """The boxes must end within the file, and one must describe the tracks."""
    boxes = list(mp4_boxes(data))
    if boxes and (reason := _cut(data, boxes[-1][2])):
        return reason
    return (
        None
        if b"moov" in {kind for kind, _, _ in boxes}
        else "truncated (the moov box, the index at its end, is missing)"
    )


def _matroska_fault(data: mmap.mmap) -> str | None:
    """The segment must end within the file; its parts and those of its clusters must follow without a gap."""
    _, size, position = _element(data, 0)
    if size is None:
        return None
    position += size
    kind, size, position = _element(data, position)
    if kind != _SEGMENT or size is None:  # a recorded stream does not know its size
        return None
    end = position + size
    if reason := _cut(data, end):
        return reason
    while position < end:
        kind, size, body = _element(data, position)
        if kind not in _IN_SEGMENT:
            return f"damaged at byte {position:,}"
        if size is None:  # a cluster of unknown size, as in a recorded stream
            return None
        if kind == _CLUSTER:
            block = body
            while block < body + size:
                kind, length, start = _element(data, block)
                if kind not in _IN_CLUSTER or length is None:
                    return f"damaged at byte {block:,}"
                block = start + length
        position = body + size
    return None


def _element(data: mmap.mmap, position: int) -> tuple[int, int | None, int]:
    """Identifier, size (None if unknown) and start of the body of an EBML element; identifier 0 if there is none."""
    first = data[position] if position < len(data) else 0
    if first < 0x10:
        return 0, 0, position
    start = position + 9 - first.bit_length()
    kind = int.from_bytes(data[position:start], "big")
    first = data[start] if start < len(data) else 0
    if not first:
        return 0, 0, position
    width = 9 - first.bit_length()
    size = int.from_bytes(data[start : start + width], "big") - (1 << 7 * width)
    return kind, None if size == (1 << 7 * width) - 1 else size, start + width


def _transport_fault(data: mmap.mmap) -> str | None:
    """Every packet must start with the sync byte; the last one may be cut."""
    count = len(data) // 188
    sync = np.frombuffer(data, np.uint8, count * 188)[::188] == 0x47
    first_lost = None if sync.all() else int(np.argmin(sync))
    del sync  # the map cannot be closed while an array looks at it
    return None if first_lost is None else f"damaged at byte {188 * first_lost:,}"


def avi_fault(path: str | os.PathLike) -> str | None:
    """Where an AVI file is cut, or its chunks cease to follow each other.

    To be asked about files that lack frames which their header counts: its writers are careless, and its readers mend much.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        # some leave the last padding byte out
        if reason := _cut(data, int.from_bytes(data[4:8], "little") + 7):
            return reason
        position, end = 12, min(len(data), int.from_bytes(data[4:8], "little") + 8)
        while position + 8 <= end:
            kind, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
            if not kind.replace(b" ", b"").replace(b"_", b"").isalnum():
                return f"damaged at byte {position:,}"
            # the frames lie in lists, one within the other
            inside = kind == b"LIST" and data[position + 8 : position + 12] in (b"movi", b"rec ")
            following = position + (12 if inside else 8 + size + size % 2)
            if following > end + 1:
                return f"damaged at byte {position:,}"
            position = following
    return None
