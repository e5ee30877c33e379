"""Folders of frames: the layout that a data set's folders share, and reading frames by number."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ...errors import UserError
from .errors import DecodeError
from .frame_names import read_frame_folder
from .jpeg import decode_image, jpeg_size

__all__ = ["FrameLayout", "detect_layout", "folder_layout", "frame_size", "read_frames"]


class FrameLayout(NamedTuple):
    """How the frames of a data set are named.

    Attributes:
        template: For ``str.format``, as MMAction2's ``filename_tmpl``: ``"{:05}.jpg"``, ``"img_{:05}.jpg"``, ``"{}.jpg"``.
        first: Number of the first frame, 0 or 1 (MMAction2's ``start_index``).
    """

    template: str
    first: int


def folder_layout(folder: str | os.PathLike[str]) -> tuple[FrameLayout, int]:
    """The layout of one folder, and its number of frames.

    Raises:
        DecodeError: If the folder is missing, or its names have a fault.
    """
    try:
        names = read_frame_folder(folder)
    except FileNotFoundError as error:
        raise DecodeError(folder, "missing") from error
    except OSError as error:
        raise DecodeError(folder, f"not readable ({error.strerror})") from error
    if names.fault:
        raise DecodeError(folder, names.fault)
    return FrameLayout(names.template, names.first), names.count


def detect_layout(folders: Iterable[str | os.PathLike[str]], expected: FrameLayout | None = None) -> FrameLayout:
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
    folder: str | os.PathLike[str],
    template: str,
    numbers: Sequence[int] | np.ndarray,
    backend: str = "auto",
    finish: Callable[[np.ndarray], np.ndarray] | None = None,
    at_least: tuple[int, int] | None = None,
) -> list[np.ndarray] | np.ndarray:
    """Decode frames by their numbers in the file names, as they come; see ``jpeg.decode_image``.

    Args:
        finish: Applied to each decoded frame ``(H, W, 3)`` at once; may return a part of it, whose memory the next frame
            takes again.
        at_least: Height and width that suffice.
    Returns:
        The frames; with ``finish`` as one array ``(T, H, W, 3)``.
    Raises:
        DecodeError: If a frame is missing or damaged, or they are of different sizes in the end.
    """
    paths = [os.path.join(folder, template.format(number)) for number in numbers]
    if finish is None:
        return _of_one_size(folder, [decode_image(path, backend, at_least) for path in paths])
    # Fresh memory costs more than decoding a small frame: pages that were never touched come from the kernel one by one.
    memory, finished = None, None
    for place, path in enumerate(paths):
        memory = decode_image(path, backend, at_least, memory)
        image = finish(memory)
        if finished is None:
            finished = np.empty((len(paths), *image.shape), np.uint8)
        if image.shape != finished.shape[1:]:
            _of_one_size(folder, [finished[0], image])
        finished[place] = image
    return finished


def _of_one_size(folder: str | os.PathLike[str], images: list[np.ndarray]) -> list[np.ndarray]:
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise DecodeError(folder, f"frames of different sizes ({sorted(sizes)})")
    return images


def frame_size(folder: str | os.PathLike[str], template: str, number: int) -> tuple[int, int]:
    """Height and width of a frame, from its header."""
    return jpeg_size(os.path.join(folder, template.format(number)))
