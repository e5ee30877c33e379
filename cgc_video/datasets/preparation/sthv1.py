"""Something-Something v1: from the CSV files and frame folders as shipped to MMAction2's raw-frame lists."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..lists import read_classes, write_classes, write_list

__all__ = ["FRAME_FOLDER", "SPLITS", "SplitReport", "count_frames", "prepare_sthv1"]

FRAME_FOLDER = "20bn-something-something-v1"
CSV_PREFIX = "something-something-v1"
SPLITS = {"train": "train", "val": "validation"}  # our name, the CSV's name
_FRAME_NAME = re.compile(r"(\d{5})\.jpg")


@dataclass
class SplitReport:
    """What became of the videos of one split; every field holds video ids.

    Attributes:
        found: Those written to the list.
        missing: No folder.
        empty: A folder without frames.
        broken: A folder whose frames are not numbered 1 to n without a gap.
        unknown: A label text that the class file lacks.
    """

    split: str
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def listed(self) -> int:
        return sum(map(len, (self.found, self.missing, self.empty, self.broken, self.unknown)))


def count_frames(folder: str | Path) -> int | None:
    """Count the frames ``00001.jpg`` onwards of a folder; None if the numbers are not 1 to n.

    Raises:
        FileNotFoundError, NotADirectoryError: If it is no folder.
    """
    with os.scandir(folder) as entries:
        numbers = [int(match[1]) for entry in entries if (match := _FRAME_NAME.fullmatch(entry.name))]
    return len(numbers) if not numbers or (min(numbers), max(numbers)) == (1, len(numbers)) else None


def _read_rows(path: Path) -> list[tuple[str, str]]:
    """Read ``id;label text`` lines without header."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        video_id, separator, text = line.strip().partition(";")
        if not separator:
            raise UserError(
                f"{path}, line {number} ({line!r}): a line must read 'id;label text'; download the file again."
            )
        rows.append((video_id, text))
    return rows


def _sort_out(rows: list[tuple[str, str]], frames: Path, labels: dict[str, int], report: SplitReport, tick: Callable):
    """Yield the list entry of each usable video, and note every video in the report."""
    for video_id, text in rows:
        tick()
        if text not in labels:
            report.unknown.append(video_id)
            continue
        try:
            count = count_frames(frames / video_id)
        except (FileNotFoundError, NotADirectoryError):
            report.missing.append(video_id)
            continue
        if count:
            report.found.append(video_id)
            yield {"frame_dir": video_id, "total_frames": count, "label": labels[text]}
        else:
            (report.broken if count is None else report.empty).append(video_id)


def prepare_sthv1(
    root: str | Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[SplitReport]:
    """Write ``train_list.txt``, ``val_list.txt`` (``id frames label``) and ``classes.txt`` into ``root``.

    A label is the line of its text in ``something-something-v1-labels.csv``, which is MMAction2's order. A split
    without its CSV file, or without any usable video, gets no list.

    Args:
        root: Holds the CSV files and the folder ``20bn-something-something-v1``.
        progress: Called with the number of videos looked at and their total.
    Raises:
        UserError: If a file is missing or malformed, or no video of any split is usable; nothing is written then.
    """
    root = Path(root)
    frames, label_file = root / FRAME_FOLDER, root / f"{CSV_PREFIX}-labels.csv"
    tables = {split: root / f"{CSV_PREFIX}-{name}.csv" for split, name in SPLITS.items()}
    for path in (frames, label_file, *([] if any(map(Path.is_file, tables.values())) else tables.values())):
        if not path.exists():
            raise UserError(f"{path} is not there; {root} must hold Something-Something v1 as it is shipped.")
    names = read_classes(label_file)
    labels = {name: index for index, name in enumerate(names)}
    rows = {split: _read_rows(path) for split, path in tables.items() if path.is_file()}
    total, done = sum(map(len, rows.values())), 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    reports: list[SplitReport] = []
    entries: dict[str, list[dict[str, Any]]] = {}
    for split, split_rows in rows.items():
        reports.append(SplitReport(split))
        entries[split] = list(_sort_out(split_rows, frames, labels, reports[-1], tick))
    if not any(entries.values()):
        raise UserError(
            f"None of the {total} videos that the CSV files list has frames below {frames}; unpack them there."
        )
    for split, split_entries in entries.items():
        if split_entries:
            write_list(root / f"{split}_list.txt", split_entries, "rawframes")
    write_classes(root / "classes.txt", names)
    return reports
