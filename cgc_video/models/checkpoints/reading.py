"""Read a checkpoint: see that no bit of it has changed, then unpickle it without running anything."""

import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from ... import compat
from ...errors import UserError
from .unpickling import pickle_module, refusal

__all__ = ["DamagedCheckpoint", "damage", "read_checkpoint"]


class DamagedCheckpoint(UserError):
    """A checkpoint that has been cut off or changed since it was written."""


def read_checkpoint(path: str | os.PathLike, map_location: Any = "cpu") -> Any:
    """What a checkpoint file holds.

    torch's format, a zip file, has a CRC-32 for each tensor, which ``torch.load`` does not compare: it is compared here, by reading the
    file once more (the cost stands in docs/reliability.md). Files of torch before 1.6 have no such sums.

    Args:
        map_location: As in ``torch.load``.
    Raises:
        DamagedCheckpoint: If the file is cut off, or a bit of its content has changed.
        UserError: If it is missing or no checkpoint, or holds types that could run code.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(f"checkpoint ({path}) does not exist; train first, or give the path of a .pth file.")
    if (fault := damage(path)) is not None:
        raise DamagedCheckpoint(f"checkpoint ({path}) is damaged: {fault}; {_way_out(path)}.")
    try:
        return _load(path, map_location)
    except Exception as error:  # torch and pickle each have their own ways to refuse a file
        if (sentence := refusal(str(error), f"checkpoint ({path})", _strip_types)) is not None:
            raise UserError(sentence) from error
        if "PytorchStreamReader" in str(error):  # of what lies between the records
            raise DamagedCheckpoint(f"checkpoint ({path}) is damaged: its table of contents has changed; {_way_out(path)}.") from error
        if not zipfile.is_zipfile(path):
            raise UserError(
                f"checkpoint ({path}) is no checkpoint, or cut off; give a .pth file as training writes it."
            ) from error
        reason = (str(error).strip().splitlines() or [""])[0].split(". ")[0]
        raise UserError(
            f"checkpoint ({path}) cannot be read: {type(error).__name__}: {reason}; give a .pth file as training writes it."
        ) from error


def _load(path: Path, map_location: Any) -> Any:
    if compat.has_allow_list():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Detected pickle protocol")  # of a file that is refused next
            return torch.load(path, map_location=map_location, weights_only=True)
    return torch.load(path, map_location=map_location, weights_only=False, pickle_module=pickle_module())


def damage(path: Path) -> str | None:
    """What has become of a file since it was written; None if it is whole, or of a kind without check sums."""
    if not path.stat().st_size:
        return "it is empty"
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return "its first bytes have changed" if zipfile.is_zipfile(path) else None
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except Exception:  # zipfile and its decompressors each have their own ways to refuse a file
        return "it is cut off, or its table of contents has changed"
    return None if bad is None else f"{bad} has another check sum than when it was written"


def _way_out(path: Path) -> str:
    """The newest whole checkpoint of the same training, if there is any: those of a work dir are, other folders hold all kinds."""
    is_work_dir = (path.parent / "last_checkpoint").is_file()
    beside = [other for other in path.parent.glob("*.pth") if other != path] if is_work_dir else []
    others = sorted(beside, key=lambda other: other.stat().st_mtime, reverse=True)
    whole = next((other for other in others if damage(other) is None), None)
    return f"take {whole}, or delete it" if whole else "delete it, or copy it again from where it is whole"


def _strip_types() -> str:
    return (
        "if you trust where it is from, save its weights alone there: torch.save({'state_dict': model.state_dict()}, FILE)"
    )
