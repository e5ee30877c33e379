"""Folders of frames: find the template of their names and the number of the first, and read frames by number."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UserError
from .errors import DecodeError
from .jpeg import decode_image, jpeg_size

__all__ = ["FrameLayout", "detect_layout", "frame_size", "folder_layout", "read_frames"]

_NAME = re.compile(r"(.*?)(\d+)(\.(?:jpe?g|png|bmp|webp))", re.IGNORECASE)


@dataclass(frozen=True)
class FrameLayout:
    """How the frames of a data set are named.

    Attributes:
        template: For ``str.format``: ``"{:05}.jpg"``, ``"img_{:05}.jpg"``, ``"{}.jpg"``.
        first: Number of the first frame, 0 or 1.
    """

    template: str
    first: int


def folder_layout(folder: str | os.PathLike) -> tuple[FrameLayout, int]:
    """The layout of one folder, and its number of frames.

    Raises:
        DecodeError: If the folder is missing or empty, its names follow more than one template, or numbers are missing.
    """
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except FileNotFoundError as error:
        raise DecodeError(folder, "missing") from error
    except OSError as error:
        raise DecodeError(folder, f"not readable ({error.strerror})") from error
    matches = [match for match in map(_NAME.fullmatch, names) if match]
    if not matches:
        raise DecodeError(folder, "zero frames" if names else "empty (no file in the folder)")
    styles = Counter((match[1], match[3]) for match in matches)
    if len(styles) > 1:
        shown = " and ".join(f"{prefix}<number>{suffix}" for prefix, suffix in sorted(styles)[:2])
        raise DecodeError(folder, f"frames of two templates ({shown})")
    (prefix, suffix), digits = next(iter(styles)), [match[2] for match in matches]
    widths = {len(number) for number in digits}
    # without leading zeros 9 is followed by 10; with them all names are of one length
    padded = any(number.startswith("0") and len(number) > 1 for number in digits) or (
        len(widths) == 1 and widths != {1}
    )
    numbers = sorted(map(int, digits))
    holes = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    template = f"{_escape(prefix)}{{:0{min(widths)}}}{suffix}" if padded else f"{_escape(prefix)}{{}}{suffix}"
    if holes:
        raise DecodeError(folder, f"frame {template.format(holes[0])} is missing between others")
    if numbers[0] > 1:
        raise DecodeError(folder, f"the first frame is {template.format(numbers[0])}, not number 0 or 1")
    return FrameLayout(template, numbers[0]), len(numbers)


def _escape(prefix: str) -> str:
    return prefix.replace("{", "{{").replace("}", "}}")


def detect_layout(folders: Iterable[str | os.PathLike], expected: FrameLayout | None = None) -> FrameLayout:
    """The layout that all folders share.

    Args:
        folders: A sample of a data set; folders that cannot be read are passed over.
        expected: What the config or list says, if it says anything.
    Raises:
        UserError: If two folders, or a folder and ``expected``, contradict each other, or no folder could be read.
    """
    found: dict[FrameLayout, str] = {}
    reason = "there are none"
    for folder in folders:
        try:
            found.setdefault(folder_layout(folder)[0], os.fspath(folder))
        except DecodeError as error:
            reason = str(error).rstrip(".")
    if not found:
        raise UserError(
            f"The names of the frames cannot be told from their folders ({reason}); set filename_tmpl and start_index."
        )
    if len(found) > 1:
        shown = ", ".join(
            f"{layout.template} from {layout.first} in {folder}" for layout, folder in list(found.items())[:2]
        )
        raise UserError(f"Frames are named in two ways ({shown}); extract them alike, or make a data set of each.")
    layout, folder = next(iter(found.items()))
    if expected is not None and not _same(layout, expected):
        raise UserError(
            f"filename_tmpl ({expected.template}) and start_index ({expected.first}) contradict {folder}, whose frames "
            f"are {layout.template} from {layout.first}; correct the config, or leave both out to have them found."
        )
    return layout


def _same(found: FrameLayout, expected: FrameLayout) -> bool:
    numbers = (expected.first, expected.first + 8, expected.first + 98)
    names_agree = all(found.template.format(number) == expected.template.format(number) for number in numbers)
    return names_agree and found.first == expected.first


def read_frames(
    folder: str | os.PathLike,
    template: str,
    numbers: Sequence[int],
    backend: str = "auto",
    finish: Callable[[np.ndarray], np.ndarray] = lambda image: image,
    at_least: tuple[int, int] | None = None,
) -> list[np.ndarray]:
    """Decode frames by their numbers in the file names, as they come; see ``jpeg.decode_image``.

    Args:
        finish: Applied to each decoded frame ``(H, W, 3)`` at once.
        at_least: Height and width that suffice.
    """
    paths = [os.path.join(folder, template.format(number)) for number in numbers]
    # a crop must not keep the whole image alive
    return [np.ascontiguousarray(finish(decode_image(path, backend, at_least))) for path in paths]


def frame_size(folder: str | os.PathLike, template: str, number: int) -> tuple[int, int]:
    """Height and width of a frame, from its header."""
    path = os.path.join(folder, template.format(number))
    if not os.path.isfile(path):
        raise DecodeError(path, "missing")
    return jpeg_size(path)
