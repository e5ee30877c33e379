"""Find the annotation files of a data set where people unpack them."""

from pathlib import Path

from ...errors import UserError

__all__ = ["ANNOTATION_FOLDERS", "find_file", "require_folder"]

ANNOTATION_FOLDERS = ("", "annotations", "labels")  # as unpacked; MMAction2's layout; Something-Something v2's archive


def find_file(root: Path, *names: str) -> Path | None:
    """Return the first of the names that is a file in ``root`` or its annotation folders."""
    paths = (root / folder / name for name in names for folder in ANNOTATION_FOLDERS)
    return next((path for path in paths if path.is_file()), None)


def require_folder(path: Path, data_set: str) -> None:
    """Raise a ``UserError`` unless ``path``, which holds the media of a data set, is a folder."""
    if not path.is_dir():
        raise UserError(f"{path} is not there; {path.parent} must hold {data_set} as it is shipped.")
