"""Find out that a result cannot be written before the work for it is done."""

import os
from pathlib import Path

from ...errors import UserError

__all__ = ["require_file", "require_folder_for_output"]


def require_folder_for_output(folder: Path, what: str) -> None:
    """See that files can be put into a folder, which need not exist yet; nothing is made.

    Args:
        what: Name of the argument, for the message.
    Raises:
        UserError: If a file is in the way, or there is no permission.
    """
    place = next((path for path in (folder, *folder.absolute().parents) if os.path.lexists(path)), folder)
    if not place.is_dir():
        found = "a file" if place.is_file() else "no folder"
        raise UserError(f"{what} ({folder}) must be a folder, but {place} is {found}; name another place.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"{what} ({folder}) cannot be written: no permission in {place}; name another place.")


def require_file(path: Path, what: str) -> None:
    """See that a file can be written, in a folder that need not exist yet.

    Raises:
        UserError: If the path is a folder, or its folder cannot be written.
    """
    if path.is_dir():
        raise UserError(f"{what} ({path}) must be a file, but a folder has that name; name another place.")
    require_folder_for_output(path.parent, f"the folder of {what}")
