"""How the frames of a folder are named, where their numbers start, and what is missing: one rule for preparation and training.

- A frame is an image with a number before its suffix, such as ``img_00001.jpg``. Hidden files are no frames, and neither
  are flow images, whose prefix says so: MMAction2's ``x_`` and ``y_``, and any with the word "flow" (``flow_x_``).
- Of several prefixes the one with the most images counts, and of its suffixes the one with the most. Two prefixes with
  equally many contradict each other.
- Numbers start at 0 or 1 and run without a gap to the largest that an image of the prefix has, whatever its suffix. What
  the template does not find on the way is missing: a clip with a gap would show other moments than its list says.

Preparation leaves a folder with such a fault out of its lists ("with gaps"), ``frames.folder_layout`` refuses it with one
sentence, and a frame that is missing when it is sampled is a ``DecodeError`` with its name.
"""

import errno
import os
import re
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

__all__ = ["FrameNames", "name_frames", "read_frame_folder"]

_NUMBERED = re.compile(r"(|[^.].*?)(\d+)(\.(?:jpe?g|png|bmp|webp))", re.IGNORECASE)
_FLOW = re.compile(r"(.*[_-])?flow(?![a-z]).*|[xy]_", re.IGNORECASE)


class FrameNames(NamedTuple):
    """How the frames of one folder are named.

    Attributes:
        template: For ``str.format``, as MMAction2's ``filename_tmpl``: ``"img_{:05}.jpg"``.
        first: Number of the first frame (MMAction2's ``start_index``).
        count: Number of frames; 0 in a folder without any.
        fault: Why the folder cannot be used, in a few words; None for a good one.
    """

    template: str
    first: int
    count: int
    fault: str | None

    @property
    def gaps(self) -> bool:
        """Whether the numbers are not whole, from 0 or 1 to the last."""
        return self.fault is not None


def name_frames(names: Iterable[str]) -> FrameNames:
    """Describe the frames among the file names of a folder; the rule is this module's."""
    found: dict[str, dict[str, list[str]]] = {}  # prefix, suffix, digits
    for match in filter(None, map(_NUMBERED.fullmatch, names)):
        found.setdefault(match[1], {}).setdefault(match[3], []).append(match[2])
    found = {prefix: suffixes for prefix, suffixes in found.items() if not _FLOW.fullmatch(prefix)}
    if not found:
        return FrameNames("", 0, 0, "zero frames")
    sizes = {prefix: sum(map(len, suffixes.values())) for prefix, suffixes in found.items()}
    prefix, *others = sorted(found, key=lambda name: (-sizes[name], name))
    suffix, digits = min(found[prefix].items(), key=lambda item: (-len(item[1]), item[0]))
    width = min(map(len, digits))
    number = f"{{:0{width}}}" if width > 1 else "{}"
    template = prefix.replace("{", "{{").replace("}", "}}") + number + suffix
    numbers = {int(text) for text in digits if len(text) == width or text[0] != "0"}
    every_number = [int(text) for texts in found[prefix].values() for text in texts]
    first = min(every_number)
    missing = next(number for number in count(first) if number not in numbers)
    fault = None
    if others and sizes[others[0]] == sizes[prefix]:
        fault = (
            f"frames of two templates ({prefix}<number>{suffix} and {others[0]}<number>{next(iter(found[others[0]]))})"
        )
    elif first > 1:
        fault = f"the first frame is {template.format(first)}, not number 0 or 1"
    elif missing <= max(every_number):
        fault = f"frame {template.format(missing)} is missing between others"
    return FrameNames(template, first, len(numbers), fault)


def read_frame_folder(folder: str | os.PathLike[str]) -> FrameNames:
    """``name_frames`` of the files in a folder.

    Raises:
        FileNotFoundError, NotADirectoryError: If it is no folder; the former for a name, too, that none can have.
    """
    try:
        with os.scandir(folder) as entries:
            return name_frames(entry.name for entry in entries)
    except (OSError, ValueError) as error:  # the latter for a NUL character
        if isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG:
            raise
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(folder)) from error
