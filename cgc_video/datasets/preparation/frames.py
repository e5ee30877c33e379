"""Folders of numbered frames: how their files are named, where the numbers start, and whether one is missing."""

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from .scan import IMAGE_SUFFIXES

__all__ = ["FrameNames", "name_frames", "read_frame_folder"]

_NUMBERED = re.compile(r"(.*?)(\d+)(\.[A-Za-z]+)")


class FrameNames(NamedTuple):
    """How the frames of one folder are named.

    Attributes:
        template: As MMAction2's ``filename_tmpl``, such as ``img_{:05}.jpg``.
        first: Number of the first frame (MMAction2's ``start_index``).
        count: Number of frames; 0 in a folder without any.
        gaps: Whether a number between the first and the last one has no file.
    """

    template: str
    first: int
    count: int
    gaps: bool


def name_frames(names: Iterable[str]) -> FrameNames:
    """Describe the frames among the file names of a folder; the most frequent template counts (``flow_x_...`` aside)."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match and match[3].lower() in IMAGE_SUFFIXES and not name.startswith("."):
            groups.setdefault((match[1], match[3]), []).append(match[2])
    if not groups:
        return FrameNames("", 0, 0, False)
    (prefix, suffix), digits = max(groups.items(), key=lambda group: (len(group[1]), group[0]))
    width = min(map(len, digits))
    number = f"{{:0{width}}}" if width > 1 else "{}"
    template = prefix.replace("{", "{{").replace("}", "}}") + number + suffix
    numbers = {int(text) for text in digits}
    return FrameNames(template, min(numbers), len(numbers), max(numbers) - min(numbers) + 1 != len(numbers))


def read_frame_folder(folder: str | os.PathLike) -> FrameNames:
    """``name_frames`` of the files in a folder.

    Raises:
        FileNotFoundError, NotADirectoryError: If it is no folder.
    """
    with os.scandir(folder) as entries:
        return name_frames(entry.name for entry in entries)
