"""Which clip has which label: by the folders of a tree, or by the lines of a table."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ...errors import UserError
from ..lists import read_classes, unusable_name
from .tree import FoundClip, FoundTree, empty_folders, look_up
from .words import counted, printable, some

__all__ = ["SPLIT_FOLDERS", "Row", "describe_rest", "label_by_folder", "look_up_table", "number_classes"]

# Names of folders that hold a split, by ours.
SPLIT_FOLDERS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
                 "validate": "val", "test": "test", "testing": "test"}  # fmt: skip
# Of a label that is a number: of the data sets in use the largest is ImageNet-21k, with 21,841 classes.
_LABEL_DIGITS = 5
Row = tuple[str, str, str | None]  # path, class, split


def label_by_folder(clips: Iterable[str], root: Path) -> tuple[list[Row], bool, list[str]]:
    """Label each clip by its topmost folder, or, where that is a split, by the next one.

    Returns:
        The rows, whether the tree has folders of splits, and notes.
    Raises:
        UserError: If other folders lie beside those of splits.
    """
    paths = sorted(clips)
    tops = sorted({path.partition("/")[0] for path in paths if "/" in path})
    splits = {top: SPLIT_FOLDERS[top.lower()] for top in tops if top.lower() in SPLIT_FOLDERS}
    extra = [top for top in tops if top not in splits]
    if extra and "train" in splits.values() and len(set(splits.values())) > 1:
        raise UserError(
            f"{root} holds folders of splits ({', '.join(splits)}) and beside them {printable(some(extra))}; move that out of "
            f"{root}, or name the label of each clip by --csv."
        )
    with_splits = "train" in splits.values() and not extra
    notes = []
    if splits and not with_splits:
        why = f"{some(extra, 3)} lies beside" if extra else "there is no train folder"
        notes.append(f"note: {', '.join(splits)} counts as a class, not as a split, since {why}")
    rows: list[Row] = []
    for path in paths:
        parts = PurePosixPath(path).parts
        if len(parts) > 1 + with_splits:
            rows.append((path, parts[int(with_splits)], splits[parts[0]] if with_splits else None))
    return rows, with_splits, notes


def look_up_table(rows: list[Row], root: Path, clips: dict[str, FoundClip]) -> tuple[list[Row], dict[str, FoundClip]]:
    """The rows with paths relative to ``root`` where they lie below it, and the clips that they name, wherever those are.

    Raises:
        UserError: If two paths lead to the same file.
    """
    home = os.path.abspath(root)
    named: dict[str, FoundClip] = {}
    lines: dict[str, str] = {}
    resolved = []
    for path, name, split in rows:
        full = os.path.normpath(os.path.join(home, path))
        if (other := lines.setdefault(full, path)) != path:
            raise UserError(f"the table lists {other} and {path}, which are the same file; remove one of the lines.")
        inside = full.startswith(home + os.sep)
        path = os.path.relpath(full, home).replace(os.sep, "/") if inside else path
        if clip := clips.get(path) or look_up(root, path):
            named[path] = clip
        resolved.append((path, name, split))
    return resolved, named


def describe_rest(root: Path, tree: FoundTree, kind: str, rows: list[Row], with_splits: bool) -> list[str]:
    """Notes of what a tree holds besides the clips that were labelled."""
    notes = []
    of_kind = {path for path, clip in tree.clips.items() if (clip.frames is None) == (kind == "video")}
    if outside := len(of_kind) - len(rows):
        lie = "1 clip lies" if outside == 1 else f"{outside} clips lie"
        notes.append(f"note: {lie} in no class folder and {_was(outside)} left alone")
    if other_kind := len(tree.clips) - len(of_kind):
        what = counted(other_kind, "frame folder" if kind == "video" else "video")
        notes.append(f"note: {what} {_was(other_kind)} left alone, since the clips are of the kind {kind}")
    if tree.others:
        types = Counter(os.path.splitext(path)[1].lower() or "no suffix" for path in tree.others)
        counts = ", ".join(f"{count} {suffix}" for suffix, count in types.most_common())
        files = counted(len(tree.others), "file")
        notes.append(
            f"note: {files} of other types {_was(len(tree.others))} left alone: {counts} ({some(sorted(tree.others), 3)})"
        )
    if empty := empty_folders(root, (path for path, _, _ in rows), 1 + with_splits):
        hold = "1 folder holds" if len(empty) == 1 else f"{len(empty)} folders hold"
        notes.append(f"note: {hold} no clip: {some(empty)}")
    return notes


def number_classes(
    rows: list[Row], root: Path, table: str | Path | None, class_file: str | Path | None
) -> tuple[list[Row], list[str]]:
    """The class names in label order, and the rows by those names."""
    found = sorted({name for _, name, _ in rows if not unusable_name(name)})
    if class_file:
        names = read_classes(class_file)
        if not set(names) & set(found):
            raise UserError(
                f"{class_file} names none of the {counted(len(found), 'class')} of {table or root} ({printable(some(found, 3))}), but "
                f"{some(names, 3)}; correct that class file."
            )
        return rows, names
    if table and found and all(name.isascii() and name.isdigit() for name in found):  # they are labels already
        if (great := next((name for name in found if len(name.lstrip("0")) > _LABEL_DIGITS), None)) is not None:
            raise UserError(
                f"{table} holds the label {great[:20]}; labels count the classes from 0, and there can be {10**_LABEL_DIGITS:,} of "
                "them: number the classes without gaps, or write their names."
            )
        return [(path, str(int(name)), split) for path, name, split in rows], [
            str(label) for label in range(1 + max(map(int, found)))
        ]
    return rows, found


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
