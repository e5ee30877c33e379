"""A table of clips and labels, ``file,label[,split]``, as people keep it for data of their own."""

import csv
from collections.abc import Iterator
from pathlib import Path

from ...errors import UserError
from ..lists import read_text

__all__ = ["read_table"]

_SPLITS = {"": None, "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
           "test": "test"}  # fmt: skip
_HEADER = ("file", "filename", "path", "video", "clip")
_COLUMNS = dict.fromkeys(_HEADER, "file") | dict.fromkeys(("label", "class", "category", "class_name"), "label")
_COLUMNS |= dict.fromkeys(("split", "subset"), "split")


def read_table(path: Path) -> list[tuple[str, str, str | None]]:
    """Read the clips of a table: path, class name, and split where there is one.

    Columns are parted by comma, semicolon or tab, whichever the first line holds. A first line that starts with ``file``,
    ``filename``, ``path``, ``video`` or ``clip`` is a header.

    Raises:
        UserError: If the file cannot be read or is empty, a line breaks a rule, or a file is listed twice; names the line.
    """
    text = read_text(path)
    first = text.lstrip().partition("\n")[0]
    delimiter = next((mark for mark in ",;\t" if mark in first), ",")
    rows: dict[str, tuple[str, str, str | None]] = {}
    for number, row in _read_rows(path, text, delimiter):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        place = f"{path}, line {number} ({delimiter.join(row)!r})"
        columns = [_COLUMNS.get(cell.lower()) for cell in cells]
        if not rows and len(cells) > 1 and None not in columns and columns != ["file", "label", "split"][: len(cells)]:
            raise UserError(f"{place}: the columns must be file{delimiter}label[{delimiter}split], in that order.")
        if not rows and columns[0] == "file":
            continue
        if len(cells) not in (2, 3) or not cells[0] or not cells[1]:
            raise UserError(
                f"{place}: a line must read 'file{delimiter}label' or 'file{delimiter}label{delimiter}split'."
            )
        split = cells[2].lower() if len(cells) == 3 else ""
        if split not in _SPLITS:
            raise UserError(f"{place}: split must be train, val or test.")
        name = cells[0].replace("\\", "/").removeprefix("./").rstrip("/")
        if name in rows:
            raise UserError(f"{place}: the file is listed twice; remove one of the lines.")
        rows[name] = (name, cells[1], _SPLITS[split])
    if not rows:
        raise UserError(f"{path} lists no clip; it needs lines of file{delimiter}label.")
    if len({split is None for _, _, split in rows.values()}) == 2:
        raise UserError(f"{path} names a split on some lines only; name one on every line, or on none.")
    return list(rows.values())


def _read_rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows with the number of their last line."""
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}; mend the line.") from error
