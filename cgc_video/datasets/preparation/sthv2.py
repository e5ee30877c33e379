"""Something-Something v2: from the JSON files and WebM videos as shipped to MMAction2's video lists."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..lists import read_text
from .official import find_file, require_folder
from .report import EMPTY, MISSING, UNKNOWN, Preparation, SplitReport
from .scan import scan_files

__all__ = ["VIDEO_FOLDER", "prepare_sthv2", "read_label_indices"]

VIDEO_FOLDER = "20bn-something-something-v2"
JSON_PREFIX = "something-something-v2-"
SPLITS = {"train": "train", "val": "validation"}  # our name, the file's
DATA_SET = "Something-Something v2"


def read_label_indices(path: Path) -> list[str]:
    """Read ``-labels.json``, which maps each class name to its index as a string; return the names by index.

    Raises:
        UserError: If the file is no such map, or the indices are not 0 to n - 1.
    """
    content = _read_json(path, dict)
    try:
        by_index = {int(index): str(name).strip() for name, index in content.items()}
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"{path} must map each class name to its index, such as '17'; download it again.") from None
    if len(by_index) != len(content) or sorted(by_index) != list(range(len(by_index))):
        raise UserError(
            f"{path}: the indices of its {len(content)} classes must be 0 to {len(content) - 1}, each once."
        )
    return [by_index[index] for index in range(len(by_index))]


def _read_json(path: Path, kind: type) -> Any:
    try:
        content = json.loads(read_text(path))
    except UserError:
        raise
    except (ValueError, RecursionError) as error:  # the latter of brackets within brackets within ...
        raise UserError(f"{path} is not JSON ({error}); download it again.") from error
    if not isinstance(content, kind):
        raise UserError(f"{path} must hold a JSON {'object' if kind is dict else 'array'}; download it again.")
    return content


def _read_items(path: Path) -> list[tuple[str, str]]:
    """Read the id and the class name of each item; a name is its ``template`` without the brackets."""
    items = []
    for position, item in enumerate(_read_json(path, list)):
        if not isinstance(item, dict) or not isinstance(item.get("template"), str) or "id" not in item:
            raise UserError(f"{path}, item {position}: an item must hold 'id' and 'template'; download it again.")
        items.append((str(item["id"]), item["template"].replace("[", "").replace("]", "").strip()))
    return items


def _read_answers(path: Path) -> list[tuple[str, str]]:
    """Read ``test-answers.csv``, ``id;class name``: the labels of the test split, published later."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=";")
    answers = []
    try:
        for row in reader:
            if len(row) == 1:
                raise UserError(
                    f"{path}, line {reader.line_num} ({row[0]!r}): a line must read 'id;class name'; download it again."
                )
            if row:
                answers.append((row[0].strip(), row[1].strip()))
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}; download it again.") from error
    return answers


def prepare_sthv2(root: str | Path, progress: Callable[[int], None] = lambda done: None) -> Preparation:
    """Look at Something-Something v2 as it is shipped; no video is opened.

    Args:
        root: Holds the folder ``20bn-something-something-v2`` of ``<id>.webm`` and, beside it or in ``annotations`` or
            ``labels``, the JSON files, whose names may lack ``something-something-v2-``.
        progress: Called with the number of files seen.
    Raises:
        UserError: If a file is missing or malformed.
    """
    root = Path(root)
    videos = root / VIDEO_FOLDER
    require_folder(videos, DATA_SET)
    tables = {split: find_file(root, f"{JSON_PREFIX}{name}.json", f"{name}.json") for split, name in SPLITS.items()}
    label_file = find_file(root, f"{JSON_PREFIX}labels.json", "labels.json")
    if label_file is None or not any(tables.values()):
        absent = "labels" if label_file is None else "train"
        raise UserError(
            f"{root / f'{JSON_PREFIX}{absent}.json'} is not there; {root} must hold {DATA_SET} as it is shipped."
        )
    names = read_label_indices(label_file)
    rows = {split: _read_items(path) for split, path in tables.items() if path}
    if answers := find_file(root, f"{JSON_PREFIX}test-answers.csv", "test-answers.csv"):
        rows["test"] = _read_answers(answers)
    labels = {name: index for index, name in enumerate(names)}
    sizes = {file.path: file.size for file in scan_files(videos, (".webm",), progress)}
    reports = []
    for split, split_rows in rows.items():
        report = SplitReport(split)
        for video_id, text in split_rows:
            name = f"{video_id}.webm"
            if text not in labels:
                report.leave_out(UNKNOWN, name)
            elif sizes.get(name) is None:
                report.leave_out(MISSING, name)
            elif sizes[name] == 0:
                report.leave_out(EMPTY, name)
            else:
                report.entries.append({"filename": name, "label": labels[text]})
        reports.append(report)
    return Preparation(reports, names, "video", videos, "unpack the videos there")
