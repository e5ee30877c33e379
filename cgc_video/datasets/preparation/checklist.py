"""The lists that a check goes through: where their clips lie, and what is left of them without the bad ones."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..lists import KINDS, read_list, write_list
from .output import require_folder_for_output
from .scan import VIDEO_SUFFIXES

__all__ = ["CheckList", "find_media", "guess_kind", "open_list", "shared_clips"]

# How many entries are looked up to tell the folder of a list's clips.
_PROBED = 20


@dataclass
class CheckList:
    """A list whose clips are to be checked.

    Attributes:
        media: The folder that its names are relative to.
        kind: See ``lists.KINDS``.
    """

    path: str
    media: str
    kind: str
    entries: list[dict[str, Any]]

    @property
    def clips(self) -> list[tuple[str, int | None]]:
        """Path of each clip, with the listed frame count of a frame folder, as ``check_clips`` takes them."""
        key = KINDS[self.kind][0]
        return [(os.path.join(self.media, entry[key]), entry.get("total_frames")) for entry in self.entries]

    @property
    def names(self) -> dict[str, str]:
        """The name of each clip as the list has it, by its path."""
        key = KINDS[self.kind][0]
        return {path: entry[key] for entry, (path, _) in zip(self.entries, self.clips, strict=True)}

    def repeated(self) -> tuple[dict[str, list[int]], list[str]]:
        """Paths that the list has more than once: those with several labels, and the others by one of their names."""
        labels: dict[str, list[int]] = {}
        for entry, (path, _) in zip(self.entries, self.clips, strict=True):
            labels.setdefault(os.path.normpath(path), []).append(entry["label"])
        several = {place: sorted(set(found)) for place, found in labels.items() if len(set(found)) > 1}
        alike = {place for place, found in labels.items() if len(found) > 1} - set(several)
        by_path = {path: several[place] for path in self.names if (place := os.path.normpath(path)) in several}
        return by_path, sorted({os.path.normpath(path): name for path, name in self.names.items() if
                                os.path.normpath(path) in alike}.values())  # fmt: skip

    def write_without(self, bad: Collection[str], path: str | Path) -> int:
        """Write the list without the clips whose paths are ``bad``; return how many are left.

        Raises:
            UserError: If none is left.
        """
        require_folder_for_output(Path(path).parent, "the folder of the new list")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        kept = [entry for entry, (clip, _) in zip(self.entries, self.clips, strict=True) if clip not in bad]
        write_list(path, kept, self.kind)
        return len(kept)


def shared_clips(one: CheckList, other: CheckList) -> list[str]:
    """Names of the clips, as ``one`` has them, that both lists have."""
    places = {os.path.abspath(path) for path, _ in other.clips}
    return sorted(name for path, name in one.names.items() if os.path.abspath(path) in places)


def guess_kind(path: str | Path) -> str:
    """Tell a video list from a list of frame folders: a video's name ends as videos' names do.

    Raises:
        UserError: If a line fits neither; see ``read_list``.
    """
    videos = read_list(path, "video")
    if any(entry["filename"].lower().endswith(VIDEO_SUFFIXES) for entry in videos[:_PROBED]):
        return "video"
    return "rawframes"


def find_media(path: str | Path, names: list[str]) -> str:
    """Find the folder that the names of a list are relative to: the list's own, or one in it, as data sets ship.

    Raises:
        UserError: If none of the first names is there.
    """
    home = Path(path).parent
    folders = [home, *sorted(folder for folder in home.iterdir() if folder.is_dir())]
    relative = [name for name in names if not os.path.isabs(name)][:_PROBED]  # an absolute path is in every folder
    for folder in folders:
        if any((folder / name).exists() for name in relative or names[:_PROBED]):
            return str(folder)
    raise UserError(
        f"none of the first {len(names[:_PROBED])} entries of {path} is in {home} or a folder in it, the first being "
        f"{names[0]}; name the folder that they are relative to by --media."
    )


def open_list(path: str | Path, media: str | None = None, kind: str | None = None) -> CheckList:
    """Read a list by itself; ``media`` and ``kind`` are found out where they are not given."""
    kind = kind or guess_kind(path)
    entries = read_list(path, kind)
    media = media if media is not None else find_media(path, [entry[KINDS[kind][0]] for entry in entries])
    return CheckList(str(path), media, kind, entries)
