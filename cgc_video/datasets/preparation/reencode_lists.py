"""Lists of re-encoded videos, made of those of the originals; checked before the work, written after it."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from ...errors import UserError
from ..lists import read_list, write_list
from .output import require_file
from .reencode import target_path
from .words import counted

__all__ = ["check_lists", "rewrite_list"]


def _name(filename: str) -> str:
    return os.path.normpath(filename).replace(os.sep, "/")


def check_lists(lists: Sequence[Path], source: Path, target: Path, names: Collection[str]) -> None:
    """See that lists name videos of ``source`` and can be written anew into ``target``.

    Args:
        names: The videos below ``source``.
    Raises:
        UserError: If a list is malformed or names none of them, two have one name, or one would be overwritten.
    """
    names = set(names)
    by_name: dict[str, Path] = {}
    for path in lists:
        new = target / path.name
        if (other := by_name.setdefault(path.name, path)) != path:
            raise UserError(f"{other} and {path} would both become {new}; rename one.")
        require_file(new, "the new list")
        if new.resolve() == path.resolve():
            raise UserError(f"{path} would be overwritten; move it out of {target}, which gets the new list.")
        entries = read_list(path, "video")
        if not any(_name(entry["filename"]) in names for entry in entries):
            raise UserError(
                f"none of the {counted(len(entries), 'clip')} of {path} is a video below {source}, the first being "
                f"{entries[0]['filename']}; the source must be the folder that the names of the list are relative to."
            )


def rewrite_list(source: Path, target: Path, done: Collection[str]) -> tuple[Path | None, list[str]]:
    """Write a list of the originals anew with the names after re-encoding, into the folder ``target``.

    Args:
        done: The originals, relative to the folder of the videos, whose new files are there.
    Returns:
        The new list, or None if nothing of it is left; and the names of the entries that were left out, whose files are not there.
    """
    entries, kept, left_out = read_list(source, "video"), [], []
    for entry in entries:
        if (name := _name(entry["filename"])) in done:
            kept.append({**entry, "filename": target_path(name)})
        else:
            left_out.append(entry["filename"])
    new = target / source.name
    if kept:
        write_list(new, kept)
    else:
        new.unlink(missing_ok=True)  # of an earlier run, when its files were there
    return new if kept else None, left_out
