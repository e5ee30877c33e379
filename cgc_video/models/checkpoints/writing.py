"""Write a file whole or not at all: beside its place, flushed to the disk, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import torch

from ...errors import UserError

__all__ = ["TEMPORARY", "replacing", "write_checkpoint", "write_text"]

TEMPORARY = ".{}.tmp"  # one name per file: what a killed process leaves is overwritten by the next attempt


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of ``path`` once it is complete and on the disk; until then, what is there stands.

    Raises:
        UserError: If the file cannot be written, as on a full disk.
    """
    path = Path(path)
    rank = os.environ.get("RANK", "0")  # several processes may write the same file: MMEngine's do, with their metrics
    temporary = path.with_name(TEMPORARY.format(path.name if rank == "0" else f"{path.name}.{rank}"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _flush_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        fault = _os_error(error)
        if fault is None:
            raise
        raise UserError(
            f"{path} could not be written: {os.strerror(fault.errno or 0)}{_room(path.parent)}; what was there before stands: make room, "
            "then go on with --resume."
        ) from error


def write_checkpoint(content: Any, path: str | os.PathLike) -> None:
    """``torch.save`` that leaves either the old file or the new one; see ``replacing``."""
    with replacing(path) as file:
        torch.save(content, file)


def write_text(text: str, path: str | os.PathLike) -> None:
    """Write a small text file; see ``replacing``."""
    with replacing(path) as file:
        file.write(text.encode())


def _flush_folder(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _os_error(error: BaseException) -> OSError | None:
    """The system's error behind one of torch's, which replaces it by a ``RuntimeError`` about positions."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, OSError):
        seen = seen.__context__
    return seen


def _room(folder: Path) -> str:
    with suppress(OSError):
        return f" ({shutil.disk_usage(folder).free / 2**20:,.0f} MiB are free in {folder})"
    return ""
