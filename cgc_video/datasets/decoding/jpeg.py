"""Decode one image of a frame folder, with one policy whichever library does it.

- RGB, turned upright by its EXIF orientation (as OpenCV does by itself; simplejpeg does not).
- Damaged is damaged: simplejpeg is run in strict mode; OpenCV decodes on and lets libjpeg write a line to the standard
  error stream, which is read here and becomes a ``DecodeError``. Neither can notice what is still a valid stream, as a
  change in the tables is.
- The pixels of both are equal: both use libjpeg-turbo with the accurate transform and smooth upsampling. Only where a
  reduced size is asked for, simplejpeg is told to be fast, which OpenCV cannot be.
- Neither decodes a part of an image: of a crop, all rows and columns around it are decoded, too.
"""

import os
from functools import cache

import cv2
import numpy as np

from ...errors import UserError
from .errors import DecodeError
from .jpeg_header import read_header, reduction
from .libjpeg_warnings import LIBJPEG_WARNINGS

__all__ = ["JPEG_BACKENDS", "choose_jpeg_backend", "decode_image", "jpeg_size"]

JPEG_BACKENDS = ("auto", "simplejpeg", "cv2")
_ROTATIONS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
_COLOR = getattr(cv2, "IMREAD_COLOR_RGB", None)
_REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


@cache
def choose_jpeg_backend(backend: str = "auto") -> str:
    """``"auto"`` is simplejpeg where it is installed and cv2 elsewhere; another name stays as it is.

    Raises:
        UserError: If the back end is not known or not installed.
    """
    if backend not in JPEG_BACKENDS:
        raise UserError(f"The image back end ({backend}) must be one of {list(JPEG_BACKENDS)}.")
    if backend == "cv2":
        return backend
    try:
        import simplejpeg  # noqa: F401
    except ImportError as error:
        if backend == "auto":
            return "cv2"
        raise UserError(
            "The image back end ('simplejpeg') is not installed: pip install simplejpeg, or take 'cv2'."
        ) from error
    return "simplejpeg"


def decode_image(
    path: str | os.PathLike[str],
    backend: str = "auto",
    at_least: tuple[int, int] | None = None,
    memory: np.ndarray | None = None,
) -> np.ndarray:
    """Decode an image file.

    Args:
        backend: One of ``JPEG_BACKENDS``; other formats than JPEG are left to OpenCV.
        at_least: Height and width that suffice, about: a JPEG is decoded at a half, a quarter or an eighth of its size as
            long as neither falls below these, and simplejpeg takes libjpeg's fast transform and plain upsampling of the
            colours. None for the full size, accurately.
        memory: An image that is not needed any more; a JPEG that fits is decoded into its place where the back end can.
    Returns:
        ``(H, W, 3)`` uint8 RGB.
    Raises:
        DecodeError: If the file is missing, empty, no image, cut short or damaged.
    """
    data = _read(path)
    if not data:
        raise DecodeError(path, "empty (0 bytes)")
    if data[:2] != b"\xff\xd8":
        return _decode_cv2(path, data, 1)
    size, orientation = read_header(path, data)
    if at_least is not None and orientation >= 5:
        at_least = at_least[::-1]  # it is stored on its side
    factor = 1 if at_least is None else reduction(size, at_least)
    if choose_jpeg_backend(backend) == "cv2":
        # OpenCV reads damaged EXIF in its own way: both back ends go by ours
        image = _decode_cv2(path, data, factor, cv2.IMREAD_IGNORE_ORIENTATION)
        return image if orientation == 1 else _turn(image, orientation)
    if memory is not None and memory.nbytes < 3 * -(-size[0] // factor) * -(-size[1] // factor):
        memory = None
    image = _decode_simplejpeg(path, data, factor, at_least, memory)
    return image if orientation == 1 else _turn(image, orientation)


def jpeg_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Height and width of an image as ``decode_image`` returns it; from the header of a JPEG, by decoding any other."""
    data = _read(path)
    if data[:2] != b"\xff\xd8":
        return decode_image(path).shape[:2]
    (height, width), orientation = read_header(path, data)
    return (width, height) if orientation >= 5 else (height, width)


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except FileNotFoundError as error:
        raise DecodeError(path, "missing") from error
    except OSError as error:
        raise DecodeError(path, f"not readable ({error.strerror})") from error


def _decode_simplejpeg(
    path: str | os.PathLike[str],
    data: bytes,
    factor: int,
    at_least: tuple[int, int] | None,
    memory: np.ndarray | None,
) -> np.ndarray:
    import simplejpeg

    # as OpenCV, by powers of two alone: other factors are slower than the full size
    height, width = at_least if at_least is not None and factor > 1 else (0, 0)
    fast = at_least is not None
    try:
        return simplejpeg.decode_jpeg(
            data,
            fastdct=fast,
            fastupsample=fast,
            min_height=height,
            min_width=width,
            min_factor=factor,
            buffer=memory,
        )
    except ValueError as error:
        raise DecodeError(path, _reason(str(error))) from error


def _decode_cv2(path, data: bytes, factor: int, more: int = 0) -> np.ndarray:
    flag = _REDUCED.get(factor, cv2.IMREAD_COLOR if _COLOR is None else _COLOR)
    try:
        with LIBJPEG_WARNINGS as warnings:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flag | more)
    except cv2.error as error:  # of a header that names an absurd size
        raise DecodeError(path, f"damaged (OpenCV: {error.err})") from error
    if image is None or warnings.text:
        fallback = "truncated" if data[:2] == b"\xff\xd8" else "not an image"
        raise DecodeError(path, _reason(warnings.text) if warnings.text else fallback)
    return image if flag == _COLOR else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _reason(text: str) -> str:
    if "Premature end" in text or "tjDecompressHeader" in text:  # the size was read: what else a header has is cut off
        return "truncated"
    return f"damaged ({text.split(': ')[-1].strip().rstrip('.')})"


def _turn(image: np.ndarray, orientation: int) -> np.ndarray:
    if orientation in (2, 5, 7):
        image = cv2.flip(image, 1)
        orientation = {2: 1, 5: 8, 7: 6}[orientation]
    elif orientation == 4:
        return cv2.flip(image, 0)
    return cv2.rotate(image, _ROTATIONS[orientation]) if orientation in _ROTATIONS else image
