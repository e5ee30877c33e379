"""Decode an image file of any format to upright RGB.

- JPEG: ``decoding.jpeg``. All else, and a JPEG in CMYK, which simplejpeg refuses: Pillow, which notices what is missing.
- Turned upright by the EXIF orientation, in every format that has one.
- Greyscale and palettes become RGB; 16 bits per channel are scaled to 8; transparency is dropped, as training on ImageNet
  has always done.
"""

import io
import os
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..decoding.errors import DecodeError
from ..decoding.jpeg import decode_image

__all__ = ["decode_photo"]

_LONGEST_REASON = 100


def decode_photo(path: str | os.PathLike, backend: str = "auto") -> np.ndarray:
    """Decode an image file.

    Args:
        backend: For JPEG, see ``decoding.jpeg.JPEG_BACKENDS``.
    Returns:
        ``(H, W, 3)`` uint8 RGB.
    Raises:
        DecodeError: If the file is missing, empty, no image, cut short or damaged, or its numbers are no colours.
    """
    if _read(path, 2) == b"\xff\xd8":
        try:
            return decode_image(path, backend)
        except DecodeError:
            if not _is_cmyk(_read(path)):
                raise
    return _decode_pillow(path, _read(path))


def _read(path: str | os.PathLike, count: int = -1) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(count)
    except FileNotFoundError as error:
        raise DecodeError(path, "missing") from error
    except OSError as error:
        raise DecodeError(path, f"not readable ({error.strerror})") from error
    if not data:
        raise DecodeError(path, "empty (0 bytes)")
    return data


def _is_cmyk(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.mode == "CMYK"
    except Exception:  # each format of Pillow has its own way to refuse a file
        return False


def _decode_pillow(path: str | os.PathLike, data: bytes) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # metadata that cannot be read, and images of many megapixels
            if data[:4] == b"\x89PNG":
                with Image.open(io.BytesIO(data)) as image:
                    image.verify()  # the check sums, which decoding passes over
            with Image.open(io.BytesIO(data)) as image:
                return _to_rgb(path, _upright(image))
    except (DecodeError, MemoryError):
        raise
    except Exception as error:  # each format of Pillow has its own way to refuse a file
        raise DecodeError(path, _reason(error)) from error


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # EXIF that cannot be read turns nothing
        return image


def _to_rgb(path: str | os.PathLike, image: Image.Image) -> np.ndarray:
    if image.mode == "F":
        raise DecodeError(path, "of floating point numbers, which are no colours")
    if image.mode != "I" and not image.mode.startswith("I;16"):
        return np.array(image.convert("RGB"))
    # Pillow would clip these at 255
    grey = np.asarray(image)
    if grey.min() < 0 or grey.max() > 65535:
        raise DecodeError(path, "of 32 bits per channel, which have no scale")
    return np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, axis=2)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    return "truncated" if "truncated" in text.lower() else f"damaged ({text or type(error).__name__})"[:_LONGEST_REASON]
