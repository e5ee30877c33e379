"""Kinetics: from the official CSV files and the videos of a copy to MMAction2's video lists."""

import csv
import functools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ..labels import class_key
from .report import EMPTY, MISSING, Preparation, SplitReport
from .scan import FoundFile, scan_files

__all__ = ["COLUMNS", "Segment", "find_tables", "index_videos", "prepare_kinetics", "read_segments"]

COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split")
SPLITS = {"train": "train", "val": "val", "validate": "val", "validation": "val", "test": "test"}
SUFFIXES = (".mp4", ".mkv", ".webm", ".avi")


@dataclass(frozen=True)
class Segment:
    """One row of an official CSV file; ``stem`` is the file name that most copies use, without its suffix."""

    split: str
    name: str
    youtube_id: str
    stem: str


def find_tables(root: Path) -> list[Path]:
    """List the CSV files below ``root`` whose header has the official columns."""
    tables = []
    for path in (root / file.path for file in scan_files(root, (".csv",), with_size=False)):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            if set(COLUMNS) <= set(next(csv.reader(file), ())):
                tables.append(path)
    return sorted(tables)


def read_segments(tables: Iterable[Path]) -> list[Segment]:
    """Read the rows of official CSV files, each once.

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


def _read_segment(row: dict[str, str], place: str) -> Segment:
    try:
        start, end = (int(float(row[key])) for key in ("time_start", "time_end"))
    except (TypeError, ValueError):
        value = (row["time_start"], row["time_end"])
        raise UserError(f"{place} {value}: time_start and time_end must be seconds; download it again.") from None
    name = row["label"].replace('"', "").strip()
    return Segment(SPLITS[row["split"]], name, row["youtube_id"], f"{row['youtube_id']}_{start:06d}_{end:06d}")


def index_videos(root: Path, progress: Callable[[int], None] = lambda done: None) -> dict[str, list[FoundFile]]:
    """Map the stem of each video file below ``root`` to its copies, by path."""
    videos: dict[str, list[FoundFile]] = {}
    for file in scan_files(root, SUFFIXES, progress):
        stem = os.path.splitext(file.path.rpartition("/")[2])[0]
        videos.setdefault(stem, []).append(file)
    return {stem: sorted(copies) for stem, copies in videos.items()}


def _choose(copies: list[FoundFile], split: str) -> FoundFile | None:
    """Of the copies of one video, take a whole one, and one in a folder of its split first."""
    there = [file for file in copies if file.size is not None]
    return min(there, key=lambda file: (file.size == 0, split not in file.path.partition("/")[0]), default=None)


@functools.cache  # one call per folder, not per video
def _folder_keys(folder: str) -> frozenset[str]:
    return frozenset(class_key(part) for part in folder.split("/"))


def prepare_kinetics(
    root: str | Path, tables: Iterable[str | Path] = (), progress: Callable[[int], None] = lambda done: None
) -> Preparation:
    """Look at Kinetics as the CSV files and the videos below ``root`` make it up; no video is opened.

    Videos are found by name, ``<youtube_id>_<start>_<end>.mp4`` with times of six digits or ``<youtube_id>.mp4``, in
    whatever folders: flat (``train/``, ``val/``) or by class, however that is written. A label is the index of its name
    among the sorted names, sorted with ``_`` for each space, which is MMAction2's order. Paths are relative to ``root``.

    Args:
        tables: Official CSV files; those below ``root`` by default.
        progress: Called with the number of files seen.
    Raises:
        UserError: If there is no CSV file, or one is malformed.
    """
    root = Path(root)
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; put Kinetics there, or name the folder that holds it.")
    tables = [Path(table) for table in tables] or find_tables(root)
    if not tables:
        raise UserError(
            f"No CSV file below {root} has the header {','.join(COLUMNS)}; put one there, or name it by --csv."
        )
    segments = read_segments(tables)
    names = sorted({segment.name for segment in segments}, key=lambda name: name.replace(" ", "_"))
    labels = {name: index for index, name in enumerate(names)}
    key_of = {name: class_key(name) for name in names}
    keys = frozenset(key_of.values())
    videos = index_videos(root, progress)
    reports = {split: SplitReport(split, left_out={MISSING: [], EMPTY: []}) for split in ("train", "val", "test")}
    used, foreign = set(), []
    for segment in segments:
        stem = segment.stem if segment.stem in videos else segment.youtube_id
        video, report = _choose(videos.get(stem, []), segment.split), reports[segment.split]
        used.add(stem)
        if video is None or video.size == 0:
            report.leave_out(MISSING if video is None else EMPTY, segment.stem)
            continue
        report.entries.append({"filename": video.path, "label": labels[segment.name]})
        folders = _folder_keys(video.path.rpartition("/")[0])
        if key_of[segment.name] not in folders and folders & keys:
            foreign.append(video.path)  # copies write class names in many ways, but not as another class
    if not reports["test"].entries:  # most copies have no test videos, and nothing here needs them
        del reports["test"]
    notes = []
    if foreign:
        notes.append(
            f"note: {len(foreign)} videos lie in the folder of another class than the CSV's: {foreign[0]}, ..."
        )
    if extra := [copies[0].path for stem, copies in videos.items() if stem not in used]:
        notes.append(
            f"note: {len(extra)} videos are in no CSV file and were left alone: {', '.join(sorted(extra)[:3])}, ..."
        )
    remedy = "download or unpack the videos there, named <youtube_id>_<start>_<end>.mp4"
    return Preparation(list(reports.values()), names, "video", root, remedy, notes)
