"""Look at a tree of files without opening any of them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["IMAGE_SUFFIXES", "VIDEO_SUFFIXES", "FoundFile", "scan_files"]

VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".wmv", ".3gp",
                  ".mts", ".m2ts", ".m2t", ".ogv", ".vob", ".asf", ".3g2", ".f4v", ".mpe")  # fmt: skip
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")  # of frames, as ``decoding.frame_names`` has them


class FoundFile(NamedTuple):
    """A file below the root of a scan.

    Attributes:
        path: Relative to that root, with ``/``.
        size: In bytes; None for a link that leads nowhere.
    """

    path: str
    size: int | None


def scan_files(
    root: str | Path,
    suffixes: tuple[str, ...],
    progress: Callable[[int], None] = lambda done: None,
    with_size: bool = True,
) -> Iterator[FoundFile]:
    """Yield the files below ``root`` that end in one of ``suffixes`` (lower case), in no particular order.

    The suffix ``""`` is that of every file. Links are followed, each folder once. Hidden files and folders are passed over: copies of macOS leave ``._x.mp4``.

    Args:
        progress: Called with the number of files found so far.
        with_size: Ask the file system for sizes, which it does not hand out with the names; otherwise they are -1.
    """
    real_root = os.path.realpath(root)
    folders, seen, done = [(real_root, "")], {real_root}, 0
    while folders:
        folder, prefix = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                    if real not in seen:
                        seen.add(real)
                        folders.append((real, f"{prefix}{entry.name}/"))
                elif entry.name.lower().endswith(suffixes):
                    yield FoundFile(prefix + entry.name, _size(entry) if with_size else -1)
                    done += 1
                    progress(done)


def _size(entry: os.DirEntry) -> int | None:
    try:
        return entry.stat().st_size
    except OSError:
        return None
