"""Own data: a tree of ``class/video`` files or frame folders, or a table of files and labels, in one step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import UserError
from ..lists import read_classes
from .frames import FrameNames, name_frames
from .report import EMPTY, MISSING, UNKNOWN, Preparation, SplitReport
from .scan import IMAGE_SUFFIXES, VIDEO_SUFFIXES, scan_files
from .split import split_stratified
from .sthv1 import GAPS
from .table import read_table

__all__ = ["SPLIT_FOLDERS", "FoundClip", "find_clips", "prepare_folder"]

# Names of folders that hold a split, by ours.
SPLIT_FOLDERS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
                 "validate": "val", "test": "test", "testing": "test"}  # fmt: skip
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class FoundClip:
    """A clip on disk: a video of ``size`` bytes, or a folder of ``frames``."""

    size: int | None = None
    frames: FrameNames | None = None


def find_clips(root: Path, progress: Callable[[int], None] = lambda done: None) -> dict[str, FoundClip]:
    """Map each video file and each folder that holds numbered images, relative to ``root``, to what it is."""
    clips: dict[str, FoundClip] = {}
    images: dict[str, list[str]] = {}
    for file in scan_files(root, VIDEO_SUFFIXES + IMAGE_SUFFIXES, progress):
        folder, _, name = file.path.rpartition("/")
        if name.lower().endswith(VIDEO_SUFFIXES):
            clips[file.path] = FoundClip(size=file.size)
        elif folder:
            images.setdefault(folder, []).append(name)
    for folder, names in images.items():
        if (frames := name_frames(names)).count:
            clips[folder] = FoundClip(frames=frames)
    return clips


def _label_by_folder(clips: dict[str, FoundClip]) -> list[tuple[str, str, str | None]]:
    """Path, class and split (if the tree has split folders) of each clip: the class is its topmost folder."""
    tops = {path.partition("/")[0] for path in clips if "/" in path}
    with_splits = (
        bool(tops)
        and all(top.lower() in SPLIT_FOLDERS for top in tops)
        and any(SPLIT_FOLDERS[top.lower()] == "train" for top in tops)
    )
    rows = []
    for path in sorted(clips):
        parts = PurePosixPath(path).parts
        if len(parts) > 1 + with_splits:
            rows.append(
                (path, parts[1] if with_splits else parts[0], SPLIT_FOLDERS[parts[0].lower()] if with_splits else None)
            )
    return rows


def _one_kind(clips: Iterable[FoundClip], kind: str | None) -> str:
    kinds = {"video" if clip.frames is None else "rawframes" for clip in clips}
    if kind is None and len(kinds) == 2:
        raise UserError(
            "there are videos and frame folders; say which of them are the clips: --kind video or rawframes."
        )
    return kind or (kinds or {"video"}).pop()


def prepare_folder(
    root: str | Path,
    table: str | Path | None = None,
    shares: dict[str, float] | None = None,
    seed: int = 0,
    kind: str | None = None,
    class_file: str | Path | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Preparation:
    """Look at own data: ``root/<class>/.../<clip>``, ``root/<split>/<class>/.../<clip>``, or a table of clips and labels.

    A clip is a video or a folder of numbered images. Without splits of its own, the data is split by
    ``split_stratified``. Labels number the sorted class names, or the lines of ``class_file``.

    Args:
        table: CSV file of ``file,label[,split]``, see ``read_table``; paths are relative to ``root``.
        shares: Share of ``val`` and ``test``; 0.2 and none by default.
        kind: ``"video"`` or ``"rawframes"``, needed only where both are there.
        progress: Called with the number of files seen.
    Raises:
        UserError: If nothing is there, the table is malformed, or frame folders are named in several ways.
    """
    root = Path(root)
    shares = {"val": 0.2} if shares is None else shares
    if any(share < 0 for share in shares.values()) or sum(shares.values()) >= 1:
        raise UserError(f"shares ({shares}) must be 0 or more and leave some for training.")
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; give the folder that holds the clips.")
    clips = find_clips(root, progress)
    kind = _one_kind(clips.values(), kind)
    rows = read_table(Path(table)) if table else _label_by_folder(_of_kind(clips, kind))
    if not rows:
        raise UserError(
            f"{root} holds no clip as <class>/<video> or <class>/<frame folder>/<image>; put the clips into one folder per "
            "class, or name a CSV file of file,label by --csv."
        )
    if table and not class_file and all(name.isascii() and name.isdigit() for _, name, _ in rows):
        rows = [(path, str(int(name)), split) for path, name, split in rows]  # they are labels already
        names = [str(label) for label in range(1 + max(int(name) for _, name, _ in rows))]
    else:
        names = read_classes(class_file) if class_file else sorted({name for _, name, _ in rows})
    notes = []
    if not table and (outside := sum(1 for clip in _of_kind(clips, kind)) - len(rows)):
        notes.append(f"note: {outside} clips lie in no class folder and were left alone")
    if not any(split for _, _, split in rows):
        usable = [
            (path, name) for path, name, _ in rows if _fault(clips.get(path), kind) is None and name in set(names)
        ]
        drawn, small = split_stratified(usable, shares, seed)
        rows = [(path, name, drawn.get(path, "train")) for path, name, _ in rows]
        if small:
            notes.append(f"note: {len(small)} classes have too few clips for every split: {', '.join(small[:5])}")
    reports = _sort_in(rows, clips, kind, names)
    if kind == "rawframes":
        notes.append(_describe_frames(clips, reports))
    remedy = "correct the paths of the table, which are relative to that folder" if table else "put whole clips there"
    return Preparation(reports, names, kind, root, remedy, notes)


def _of_kind(clips: dict[str, FoundClip], kind: str) -> dict[str, FoundClip]:
    return {path: clip for path, clip in clips.items() if (clip.frames is None) == (kind == "video")}


def _fault(clip: FoundClip | None, kind: str) -> str | None:
    """Why a clip cannot be used, as far as it shows without opening it."""
    if clip is None or (clip.frames is None) != (kind == "video") or (kind == "video" and clip.size is None):
        return MISSING
    if kind == "video":
        return EMPTY if clip.size == 0 else None
    return GAPS if clip.frames.gaps else None


def _sort_in(
    rows: list[tuple[str, str, str | None]], clips: dict[str, FoundClip], kind: str, names: list[str]
) -> list[SplitReport]:
    labels = {name: label for label, name in enumerate(names)}
    reports = {split: SplitReport(split) for split in SPLITS}
    for path, name, split in rows:
        report, clip = reports[split or "train"], clips.get(path)
        if name not in labels:
            report.leave_out(UNKNOWN, path)
        elif reason := _fault(clip, kind):
            report.leave_out(reason, path)
        else:
            entry: dict[str, Any] = {"filename": path} if kind == "video" else {"frame_dir": path}
            report.entries.append(
                entry | ({"total_frames": clip.frames.count} if clip.frames else {}) | {"label": labels[name]}
            )
    return [report for split, report in reports.items() if report.listed or split != "test"]


def _describe_frames(clips: dict[str, FoundClip], reports: list[SplitReport]) -> str:
    """The frames of a data set are named in one way: that way is told, and another one is an error."""
    ways: dict[tuple[str, int], str] = {}
    for path in (entry["frame_dir"] for report in reports for entry in report.entries):
        frames = clips[path].frames
        ways.setdefault((frames.template, frames.first), path)
    if len(ways) > 1:
        (one, first), (other, second) = list(ways)[:2]
        raise UserError(
            f"frames are named in {len(ways)} ways: {one!r} from {first} in {ways[one, first]}, {other!r} from {second} in "
            f"{ways[other, second]}; rename them alike."
        )
    ((template, first),) = ways or [("", 0)]
    return f"frames are named {template!r} and start at {first}: filename_tmpl={template!r}, start_index={first}"
