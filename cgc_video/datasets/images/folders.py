"""Class folders and the images in them."""

import os
from pathlib import Path

from ...errors import UserError
from ..preparation.scan import scan_files

__all__ = ["IMAGE_SUFFIXES", "class_folders", "holds_image", "list_images"]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")


def class_folders(folder: str | os.PathLike) -> list[str]:
    """Names of the folders in a folder, sorted; hidden ones do not count.

    Raises:
        UserError: If the folder is not there.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(f"the image folder ({folder}) does not exist; correct data_root or data_prefix.") from error


def list_images(folder: str | os.PathLike) -> list[str]:
    """Paths of the images below a folder, relative to it, sorted."""
    return sorted(file.path for file in scan_files(folder, IMAGE_SUFFIXES, with_size=False))


def holds_image(folder: str | os.PathLike) -> bool:
    """Whether there is an image below a folder; stops at the first."""
    return Path(folder).is_dir() and next(scan_files(folder, IMAGE_SUFFIXES, with_size=False), None) is not None
