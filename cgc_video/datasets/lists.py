"""Annotation lists and class files: MMAction2's text formats, every line checked.

A list of videos or images has lines ``path label``, a raw-frame list ``folder frames label``; both are split from the
right, so a path may contain spaces. A class file has one name per line, in label order. Blank lines are ignored.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError

__all__ = [
    "CLASS_FILE",
    "KINDS",
    "read_classes",
    "read_list",
    "read_text",
    "unusable_name",
    "write_classes",
    "write_list",
]

CLASS_FILE = "classes.txt"  # beside the lists
# What the lines of a list hold, by kind: the path's key, then the integer keys.
KINDS: dict[str, tuple[str, ...]] = {
    "video": ("filename", "label"),
    "rawframes": ("frame_dir", "total_frames", "label"),
    "images": ("filename", "label"),
}
_MOST_DIGITS = 18  # what 64 bits hold
_LAYOUTS = {"video": "path label", "rawframes": "folder frames label", "images": "path label"}


def read_text(path: str | Path, what: str = "") -> str:
    """Read a text file, with or without a byte order mark.

    Args:
        what: What the file is, for the message.
    Raises:
        UserError: If it cannot be read or is not UTF-8.
    """
    name = f"{what} ({path})" if what else str(path)
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{name} must be UTF-8 text, but {error.reason} at byte {error.start}; save it as UTF-8."
        ) from error
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror}; check the path.") from error


def unusable_name(name: str) -> str | None:
    """The rule that a path or class name breaks which no line of a list can hold; None for a good one."""
    if "\n" in name or "\r" in name or name != name.strip():
        return "must have no line break or outer space"
    if "\0" in name:
        return "must have no NUL character"
    if any("\ud800" <= letter <= "\udfff" for letter in name):  # how Python shows bytes that are no UTF-8
        return "must be UTF-8"
    return None


def _read_lines(path: str | Path, what: str) -> list[tuple[int, str]]:
    """Return the line numbers and stripped texts of the non-blank lines of a UTF-8 file, one at least."""
    text = read_text(path, what)
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise UserError(f"{what} ({path}) is empty; it needs one line per entry.")
    return lines


def _columns(kind: str) -> tuple[str, ...]:
    if kind not in KINDS:
        raise UserError(f"kind ({kind}) must be one of {list(KINDS)}.")
    return KINDS[kind]


def _parse(line: str, kind: str, num_classes: int | None) -> dict[str, Any] | str:
    """Return the entry that a line holds, or the rule that it breaks."""
    path_key, *number_keys = KINDS[kind]
    fields = line.rsplit(maxsplit=len(number_keys))
    if len(fields) != len(number_keys) + 1:
        return f"a line must read '{_LAYOUTS[kind]}'"
    if "\0" in fields[0]:
        return f"{path_key} must have no NUL character"
    entry: dict[str, Any] = {path_key: fields[0]}
    for key, text in zip(number_keys, fields[1:], strict=True):
        if not (text.isascii() and text.removeprefix("-").isdigit()):
            return f"{key} must be a whole number"
        if len(text) > _MOST_DIGITS:
            return f"{key} must be a number of at most {_MOST_DIGITS} digits"
        entry[key] = int(text)
    if kind == "rawframes" and entry["total_frames"] < 1:
        return "total_frames must be 1 or more"
    if entry["label"] < 0:
        return "label must be 0 or more"
    if num_classes is not None and entry["label"] >= num_classes:
        return f"label must be under num_classes ({num_classes})"
    return entry


def read_list(path: str | Path, kind: str = "video", num_classes: int | None = None) -> list[dict[str, Any]]:
    """Read an annotation list.

    Args:
        kind: ``"video"``, ``"rawframes"`` or ``"images"``, see ``KINDS``.
        num_classes: Number of classes of the model, when known.
    Returns:
        One dictionary per line, with the keys of ``KINDS[kind]``; paths as written.
    Raises:
        UserError: If the file cannot be read or is empty, or a line breaks a rule; names the first such line.
    """
    _columns(kind)
    entries = []
    for number, line in _read_lines(path, "The annotation list"):
        entry = _parse(line, kind, num_classes)
        if isinstance(entry, str):
            raise UserError(f"{path}, line {number} ({line!r}): {entry}; mend the line, or make the list again.")
        entries.append(entry)
    return entries


def write_list(path: str | Path, entries: Iterable[Mapping[str, Any]], kind: str = "video") -> None:
    """Write an annotation list that ``read_list`` reads back.

    Args:
        entries: Mappings with the keys of ``KINDS[kind]``.
    Raises:
        UserError: If there is no entry or an entry breaks a rule; nothing is written then.
    """
    keys = _columns(kind)
    lines = []
    for entry in entries:
        line = " ".join(str(entry[key]) for key in keys)
        if rule := unusable_name(str(entry[keys[0]])):
            raise UserError(f"{path}: {keys[0]} ({entry[keys[0]]!r}) {rule}; rename the file.")
        if isinstance(rule := _parse(line, kind, None), str):
            raise UserError(f"Entry {len(lines) + 1} ({line!r}) cannot be written to {path}: {rule}.")
        lines.append(line)
    if not lines:
        raise UserError(f"There is no entry to write to {path}; an annotation list needs one at least.")
    _replace_text(Path(path), "\n".join(lines) + "\n")


def read_classes(path: str | Path) -> list[str]:
    """Read class names, one per line in label order.

    Raises:
        UserError: If the file cannot be read or is empty, or a name breaks a rule or occurs twice.
    """
    names: dict[str, int] = {}
    for number, name in _read_lines(path, "The class file"):
        if rule := unusable_name(name):
            raise UserError(f"{path}, line {number} ({name!r}): a class name {rule}; mend the line.")
        if name in names:
            raise UserError(f"{path}, line {number} ({name!r}): also the class of line {names[name]}; remove one.")
        names[name] = number
    return list(names)


def write_classes(path: str | Path, names: Iterable[str]) -> None:
    """Write class names, one per line in label order, that ``read_classes`` reads back.

    Raises:
        UserError: If a name breaks a rule or occurs twice; nothing is written then.
    """
    names = list(names)
    for label, name in enumerate(names):
        if rule := unusable_name(name) or ("must not be empty" if not name else None):
            raise UserError(f"{path}: the name of class {label} ({name!r}) {rule}; rename the class.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{path}: the class name {twice!r} occurs twice; a class needs a name of its own.")
    _replace_text(Path(path), "".join(f"{name}\n" for name in names))


def _replace_text(path: Path, text: str) -> None:
    """Write a file that is whole at any time, so that a run that is cut off leaves no half list."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
