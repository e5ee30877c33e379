"""Own data: a tree of ``class/video`` files or frame folders, or a table of files and labels, in one step."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..lists import unusable_name
from .report import EMPTY, MISSING, UNKNOWN, UNUSABLE, Preparation, SplitReport
from .rows import Row, describe_rest, label_by_folder, look_up_table, number_classes
from .split import split_stratified
from .sthv1 import GAPS
from .table import read_table
from .tree import FoundClip, find_clips
from .words import counted, printable, some

__all__ = ["prepare_folder"]

SPLITS = ("train", "val", "test")
OTHER_TYPE, OTHER_KIND = "of an unknown type", "of another kind"


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
        table: CSV file of ``file,label[,split]``, see ``read_table``; paths are relative to ``root``, or absolute.
        class_file: Class names in label order.
        shares: Share of ``val`` and ``test``; 0.2 and none by default.
        kind: ``"video"`` or ``"rawframes"``, needed only where both are there.
        progress: Called with the number of files seen.
    Raises:
        UserError: If nothing is there, the table is malformed, ``class_file`` knows no class of it, folders of splits and others
            lie side by side, or frame folders are named in several ways.
    """
    root = Path(root)
    shares = {"val": 0.2} if shares is None else shares
    if any(share < 0 for share in shares.values()) or sum(shares.values()) >= 1:
        raise UserError(f"shares ({shares}) must be 0 or more and leave some for training.")
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; give the folder that holds the clips.")
    tree, notes = find_clips(root, progress), []
    if table:
        rows, clips = look_up_table(read_table(Path(table)), root, tree.clips)
        kind = _one_kind(clips.values(), kind)
        if rest := sorted(path for path in _of_kind(tree.clips, kind) if path not in clips):
            notes.append(
                f"note: {counted(len(rest), 'clip')} on disk but not in the table, left alone: {some(rest, 3)}"
            )
    else:
        clips = tree.clips
        kind = _one_kind(clips.values(), kind)
        rows, with_splits, notes = label_by_folder(_of_kind(clips, kind), root)
        notes += describe_rest(root, tree, kind, rows, with_splits)
    if not rows:
        raise UserError(
            f"{root} holds no clip as <class>/<video> or <class>/<frame folder>/<image>; put the clips into one folder per "
            f"class, or name a CSV file of file,label by --csv{printable(''.join('; ' + note for note in notes))}."
        )
    rows, names = number_classes(rows, root, table, class_file)
    known = set(names)
    if not any(split for _, _, split in rows):
        usable = [(path, name) for path, name, _ in rows if not _fault(path, clips.get(path), kind) and name in known]
        drawn, small = split_stratified(usable, shares, seed)
        rows = [(path, name, drawn.get(path, "train")) for path, name, _ in rows]
        if small:
            have = "1 class has" if len(small) == 1 else f"{len(small)} classes have"
            notes.append(f"note: {have} too few clips for every split: {some(small)}")
    reports = _sort_in(rows, clips, kind, names)
    if kind == "rawframes":
        notes.append(_describe_frames(clips, reports))
    remedy = "correct the paths of the table, which are relative to that folder" if table else "put whole clips there"
    return Preparation(reports, names, kind, root, remedy, notes)


def _of_kind(clips: dict[str, FoundClip], kind: str) -> dict[str, FoundClip]:
    return {path: clip for path, clip in clips.items() if (clip.frames is None) == (kind == "video")}


def _fault(path: str, clip: FoundClip | None, kind: str) -> str | None:
    """Why a clip cannot be used, as far as it shows without opening it."""
    if unusable_name(path):
        return UNUSABLE
    if clip is None or (clip.frames is None and clip.size is None):
        return MISSING
    if (clip.frames is None) != (kind == "video"):
        return OTHER_KIND
    if kind == "video":
        return OTHER_TYPE if not clip.known_type else EMPTY if clip.size == 0 else None
    return GAPS if clip.frames.gaps else None


def _sort_in(rows: list[Row], clips: dict[str, FoundClip], kind: str, names: list[str]) -> list[SplitReport]:
    labels = {name: label for label, name in enumerate(names)}
    reports = {split: SplitReport(split) for split in SPLITS}
    for path, name, split in rows:
        report, clip = reports[split or "train"], clips.get(path)
        if name not in labels and not unusable_name(path):
            report.leave_out(UNKNOWN, path)
        elif reason := _fault(path, clip, kind):
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
