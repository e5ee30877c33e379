"""Kinetics: from the official CSV files and the videos of a copy to MMAction2's video lists."""

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from ...errors import UserError
from ..labels import class_key
from .kinetics_tables import COLUMNS, Segment, find_tables, read_segments
from .report import EMPTY, MISSING, Preparation, SplitReport
from .scan import VIDEO_SUFFIXES, FoundFile, scan_files
from .words import some

__all__ = ["index_videos", "prepare_kinetics"]

UNLABELLED = "without a label"


def index_videos(root: Path, progress: Callable[[int], None] = lambda done: None) -> dict[str, list[FoundFile]]:
    """Map the stem of each video file below ``root`` to its copies, by path."""
    videos: dict[str, list[FoundFile]] = {}
    for file in scan_files(root, VIDEO_SUFFIXES, progress):
        stem = os.path.splitext(file.path.rpartition("/")[2])[0]
        videos.setdefault(stem, []).append(file)
    return {stem: sorted(copies) for stem, copies in videos.items()}


def _choose(copies: list[FoundFile], split: str) -> FoundFile | None:
    """Of the copies of one video, take a whole one, and one in a folder of its split first."""
    there = [file for file in copies if file.size is not None]
    return min(there, key=lambda file: (file.size == 0, split not in file.path.partition("/")[0]), default=None)


def _contradictions(segments: list[Segment]) -> list[str]:
    """Segments differ, so one whose stem was seen before has another label or split."""
    return [stem for stem, count in Counter(segment.stem for segment in segments).items() if count > 1]


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
    tables = [Path(table) for table in tables]
    notes: list[str] = []
    if not tables:
        tables, notes = find_tables(root)
    if not tables:
        raise UserError(
            f"No CSV file below {root} has the header {','.join(COLUMNS)}; put one there, or name it by --csv."
        )
    segments = read_segments(tables)
    names = sorted({segment.name for segment in segments if segment.name}, key=lambda name: name.replace(" ", "_"))
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
        if not segment.name:
            report.leave_out(UNLABELLED, segment.stem)
            continue
        if video is None or video.size == 0:
            report.leave_out(MISSING if video is None else EMPTY, segment.stem)
            continue
        report.entries.append({"filename": video.path, "label": labels[segment.name]})
        folders = _folder_keys(video.path.rpartition("/")[0])
        if key_of[segment.name] not in folders and folders & keys:
            foreign.append(video.path)  # copies write class names in many ways, but not as another class
    if not reports["test"].entries:  # most copies have no test videos, and nothing here needs them
        count = reports.pop("test").listed
        clips = "1 test clip is" if count == 1 else f"{count} test clips are"
        notes += [f"note: {clips} listed, but none usable, so there is no list of them"] if count else []
    if foreign:
        lie = "1 video lies" if len(foreign) == 1 else f"{len(foreign)} videos lie"
        notes.append(f"note: {lie} in the folder of another class than the CSV's: {some(foreign, 3)}")
    if extra := sorted(copies[0].path for stem, copies in videos.items() if stem not in used):
        videos_are = "1 video is" if len(extra) == 1 else f"{len(extra)} videos are"
        notes.append(f"note: {videos_are} in no CSV file and left alone: {some(extra, 3)}")
    if double := _contradictions(segments):
        clips = "1 clip is" if len(double) == 1 else f"{len(double)} clips are"
        notes.append(f"note: {clips} listed with two labels or in two splits: {some(double, 3)}")
    remedy = "download or unpack the videos there, named <youtube_id>_<start>_<end>.mp4"
    return Preparation(list(reports.values()), names, "video", root, remedy, notes)
