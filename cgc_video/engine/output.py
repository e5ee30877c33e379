"""Find out that a result cannot be written before the work for it is done."""

import os

from ..errors import UserError

__all__ = ["check_writable"]


def check_writable(path: str, option: str = "") -> None:
    """Make the folder of a file that is to be written, and see that files can be put there.

    Args:
        option: What named it, for the message.

    Raises:
        UserError: If that cannot be done, or the path is a folder.
    """
    folder = os.path.dirname(path) or "."
    named = f"{option} ({path})" if option else path
    if os.path.basename(path) not in ("", ".") and os.path.isdir(path):
        raise UserError(f"{named} is a folder; name a file.")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{named} cannot be written: {os.strerror(error.errno)} ({folder}); name another place."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{named} cannot be written: no permission in {folder}; name another place.")
