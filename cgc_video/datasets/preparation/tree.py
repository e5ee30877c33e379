"""What a tree of own data holds: clips by path, the files that are none, and which class folders are empty."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..decoding.frame_names import FrameNames, name_frames, read_frame_folder
from .report import is_own_file
from .scan import IMAGE_SUFFIXES, VIDEO_SUFFIXES, scan_files

__all__ = ["FoundClip", "FoundTree", "empty_folders", "find_clips", "look_up"]


@dataclass(frozen=True)
class FoundClip:
    """A clip on disk: a video of ``size`` bytes (None for a link that leads nowhere), or a folder of ``frames``.

    Attributes:
        known_type: Whether the suffix is one of a video.
    """

    size: int | None = None
    frames: FrameNames | None = None
    known_type: bool = True


@dataclass
class FoundTree:
    """Clips by their paths relative to the root, and the paths of the files that belong to none."""

    clips: dict[str, FoundClip] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


def find_clips(root: Path, progress: Callable[[int], None] = lambda done: None) -> FoundTree:
    """Find each video file and each folder that holds numbered images; files that preparation writes do not count."""
    tree = FoundTree()
    images: dict[str, list[str]] = {}
    for file in scan_files(root, ("",), progress):
        folder, _, name = file.path.rpartition("/")
        if name.lower().endswith(VIDEO_SUFFIXES):
            tree.clips[file.path] = FoundClip(size=file.size)
        elif folder and name.lower().endswith(IMAGE_SUFFIXES):
            images.setdefault(folder, []).append(name)
        elif not is_own_file(name):
            tree.others.append(file.path)
    for folder, names in images.items():
        if (frames := name_frames(names)).count:
            tree.clips[folder] = FoundClip(frames=frames)
        else:
            tree.others += [f"{folder}/{name}" for name in names]
    return tree


def look_up(root: Path, path: str) -> FoundClip | None:
    """Find the clip of one path, relative to ``root`` or absolute; None if it is not there."""
    full = os.path.normpath(os.path.join(root, path))
    try:
        if os.path.isdir(full):
            frames = read_frame_folder(full)
            return FoundClip(frames=frames) if frames.count else None
        return FoundClip(size=os.stat(full).st_size, known_type=full.lower().endswith(VIDEO_SUFFIXES))
    except (OSError, ValueError):  # the latter for a name with a NUL character
        return None


def empty_folders(root: Path, clips: Iterable[str], depth: int) -> list[str]:
    """Names of the folders, up to ``depth`` below ``root``, that hold none of the clips; those of our lists do not count."""
    holding = {"/".join(path.split("/")[:level]) for path in clips for level in range(1, depth + 1)}
    empty: list[str] = []
    level = [""]
    for _ in range(depth):
        found = [prefix + entry.name for prefix in level for entry in _folders(root / prefix)]
        empty += [name for name in found if name not in holding and not _holds_lists(root / name)]
        level = [f"{name}/" for name in found if name in holding]
    return sorted(empty)


def _folders(folder: Path) -> list[os.DirEntry]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]


def _holds_lists(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(is_own_file(entry.name) for entry in entries)
