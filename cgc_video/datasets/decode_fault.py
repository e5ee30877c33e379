"""Which errors speak of a bad file, whatever decoder raised them; all others are defects of the program."""

import errno
import traceback

from .decoding.errors import DecodeError

__all__ = ["decode_fault"]

# Troubles of the machine, which another file would have, too.
_MACHINE_ERRNOS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC}
_LONGEST_REASON = 160


def decode_fault(error: Exception, path: str) -> DecodeError | None:
    """What a decoder has against a file, as a ``DecodeError``; None for an error that has another cause.

    MMAction2's steps raise what their decoders do: an ``OSError`` of the file, errors of PyAV, errors raised inside decord, and those
    of OpenCV while it decodes an image.
    """
    if isinstance(error, DecodeError):
        return error
    kind = type(error).__module__.partition(".")[0]
    from_decord = isinstance(error, RuntimeError | AssertionError) and _passed_through(error, "decord")
    from_opencv = kind == "cv2" and _passed_through(error, "mmcv.image.io")
    from_file = isinstance(error, OSError) and error.errno not in _MACHINE_ERRNOS
    if not (kind in ("av", "decord") or from_decord or from_opencv or from_file):
        return None
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0] if lines else ''}"
    return DecodeError(path, reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 3] + "...")


def _passed_through(error: Exception, module: str) -> bool:
    names = (frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(name == module or name.startswith(f"{module}.") for name in names)
