"""What the header of a JPEG says: its size and its EXIF orientation (ITU-T T.81, B.2; JEITA CP-3451, 4.6)."""

from typing import Literal

from .errors import DecodeError

__all__ = ["read_header", "reduction"]


def reduction(size: tuple[int, int], at_least: tuple[int, int]) -> int:
    """The largest of 8, 4, 2 and 1 by which both sides can be divided and not fall below ``at_least``."""
    (height, width), (rows, columns) = size, at_least
    for factor in (8, 4, 2):
        if -(-height // factor) >= rows and -(-width // factor) >= columns:
            return factor
    return 1


def read_header(path: object, data: bytes) -> tuple[tuple[int, int], int]:
    """Height and width as stored, before any turning; and the EXIF orientation, 1 (upright) where there is none.

    Raises:
        DecodeError: If the header ends before it gives the size.
    """
    orientation, position = 1, 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker, end = data[position + 1], position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xFF:  # a byte between segments
            position += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = data[position + 5 : position + 7], data[position + 7 : position + 9]
            return (int.from_bytes(height, "big"), int.from_bytes(width, "big")), orientation
        if marker == 0xE1 and data[position + 4 : position + 10] == b"Exif\0\0":
            orientation = _orientation(data[position + 10 : end])
        position = end
    raise DecodeError(path, "truncated")


def _orientation(tiff: bytes) -> int:
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    start = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[start : start + 2], order)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if int.from_bytes(tiff[entry : entry + 2], order) == 0x0112:
            value = int.from_bytes(tiff[entry + 8 : entry + 10], order)
            return value if 1 <= value <= 8 else 1
    return 1
