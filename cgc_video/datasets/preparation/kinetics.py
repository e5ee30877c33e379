"""Kinetics-400: from the official CSV files and the videos of a copy to MMAction2's video lists."""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..lists import write_classes, write_list

__all__ = ["COLUMNS", "CoverageReport", "Segment", "find_tables", "index_videos", "prepare_kinetics", "read_segments"]

COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split")
SPLITS = {"train": "train", "val": "val", "validate": "val", "validation": "val"}  # the test split has no use here
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi")


@dataclass(frozen=True)
class Segment:
    """One row of an official CSV file; ``stem`` is the file name that every copy uses, without its suffix."""

    split: str
    name: str
    stem: str


@dataclass
class CoverageReport:
    """What became of the videos of one split; ``found`` and ``missing`` hold file stems."""

    split: str
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def listed(self) -> int:
        return len(self.found) + len(self.missing)


def find_tables(root: Path) -> list[Path]:
    """List the CSV files below ``root`` whose header has the official columns."""
    tables = []
    for folder, _, files in os.walk(root, followlinks=True):
        for path in (Path(folder, name) for name in files if name.lower().endswith(".csv")):
            with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
                if set(COLUMNS) <= set(next(csv.reader(file), ())):
                    tables.append(path)
    return sorted(tables)


def read_segments(tables: Iterable[Path]) -> list[Segment]:
    """Read the training and validation rows of official CSV files, each once.

    Raises:
        UserError: If a file cannot be read, lacks a column, or a row is malformed; names the line.
    """
    segments: dict[Segment, None] = {}
    for table in tables:
        try:
            with Path(table).open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
                    raise UserError(f"{table} lacks the column {missing[0]}; its header must be {','.join(COLUMNS)}.")
                for row in reader:
                    if row["split"] in SPLITS:
                        segments[_read_segment(row, f"{table}, line {reader.line_num}")] = None
        except OSError as error:
            raise UserError(f"{table} cannot be read: {error.strerror}; check the path.") from error
    return list(segments)


def _read_segment(row: dict[str, Any], place: str) -> Segment:
    try:
        start, end = (int(float(row[key])) for key in ("time_start", "time_end"))
    except (TypeError, ValueError):
        value = (row["time_start"], row["time_end"])
        raise UserError(f"{place} {value}: time_start and time_end must be seconds; download it again.") from None
    name = row["label"].replace('"', "").strip()
    return Segment(SPLITS[row["split"]], name, f"{row['youtube_id']}_{start:06d}_{end:06d}")


def index_videos(root: Path) -> dict[str, list[str]]:
    """Map the stem of each video file below ``root`` to its paths relative to ``root``, sorted."""
    videos: dict[str, list[str]] = {}
    for folder, _, files in os.walk(root, followlinks=True):
        for name in files:
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in VIDEO_SUFFIXES:
                videos.setdefault(stem, []).append(Path(folder, name).relative_to(root).as_posix())
    return {stem: sorted(paths) for stem, paths in videos.items()}


def prepare_kinetics(root: str | Path, tables: Iterable[str | Path] = ()) -> list[CoverageReport]:
    """Write ``train_list.txt``, ``val_list.txt`` (``path label``) and ``classes.txt`` into ``root``.

    Videos are found by name, ``<youtube_id>_<start>_<end>.mp4`` with times of six digits, in whatever folders: flat
    (``train/``, ``val/``) or by class (``videos_train/<class>/``). A label is the index of its name among the sorted
    names, sorted with ``_`` for each space, which is MMAction2's order. Paths are relative to ``root``. A split without
    any video gets no list.

    Args:
        tables: Official CSV files; those below ``root`` by default.
    Raises:
        UserError: If there is no CSV file, one is malformed, or no video is found; nothing is written then.
    """
    root = Path(root)
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; put Kinetics-400 there, or name the folder that holds it.")
    tables = [Path(table) for table in tables] or find_tables(root)
    if not tables:
        raise UserError(
            f"No CSV file below {root} has the header {','.join(COLUMNS)}; put one there, or name it by --csv."
        )
    segments = read_segments(tables)
    names = sorted({segment.name for segment in segments}, key=lambda name: name.replace(" ", "_"))
    labels = {name: index for index, name in enumerate(names)}
    videos = index_videos(root)
    reports = {split: CoverageReport(split) for split in ("train", "val")}
    entries: dict[str, list[dict[str, Any]]] = {split: [] for split in reports}
    for segment in segments:
        report = reports[segment.split]
        if paths := videos.get(segment.stem):
            report.found.append(segment.stem)
            entries[segment.split].append({"filename": paths[0], "label": labels[segment.name]})
        else:
            report.missing.append(segment.stem)
    if not any(entries.values()):
        raise UserError(
            f"None of the {len(segments)} videos that the CSV files list is below {root}"
            " (as <youtube_id>_<start>_<end>.mp4); download or unpack them there."
        )
    for split, split_entries in entries.items():
        if split_entries:
            write_list(root / f"{split}_list.txt", split_entries, "video")
    write_classes(root / "classes.txt", names)
    return list(reports.values())
