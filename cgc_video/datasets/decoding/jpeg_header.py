"""What the header of a JPEG says: its size and its EXIF orientation (ITU-T T.81, B.2; JEITA CP-3451, 4.6)."""

from collections.abc import Iterator

from .errors import DecodeError

__all__ = ["orientation_of", "reduction", "stored_size"]


def reduction(size: tuple[int, int], at_least: tuple[int, int]) -> int:
    """The largest of 8, 4, 2 and 1 by which both sides can be divided and not fall below ``at_least``."""
    return next(f for f in (8, 4, 2, 1) if f == 1 or all(-(-s // f) >= n for s, n in zip(size, at_least, strict=True)))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment before the scan."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xDA or length < 2:
            return
        yield marker, data[position + 4 : position + 2 + length]
        position += 2 + length


def stored_size(path: object, data: bytes) -> tuple[int, int]:
    """Height and width as stored, before any turning.

    Raises:
        DecodeError: If the header ends before it says so.
    """
    for marker, body in _segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and len(body) >= 5:
            return int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    raise DecodeError(path, "truncated")


def orientation_of(data: bytes) -> int:
    """The EXIF orientation, 1 (upright) where there is none."""
    if b"Exif\0\0" not in data[:65536]:
        return 1
    for marker, body in _segments(data):
        if marker != 0xE1 or body[:6] != b"Exif\0\0":
            continue
        tiff = body[6:]
        order = "little" if tiff[:2] == b"II" else "big"
        start = int.from_bytes(tiff[4:8], order)
        count = int.from_bytes(tiff[start : start + 2], order)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            if int.from_bytes(tiff[entry : entry + 2], order) == 0x0112:
                value = int.from_bytes(tiff[entry + 8 : entry + 10], order)
                return value if 1 <= value <= 8 else 1
    return 1
