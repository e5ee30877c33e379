"""Something-Something v1: from the CSV files and frame folders as shipped to MMAction2's raw-frame lists."""

from collections.abc import Callable
from pathlib import Path

from ...errors import UserError
from ..decoding.frame_names import read_frame_folder
from ..lists import read_classes, read_text
from .official import find_file, require_folder
from .report import EMPTY, MISSING, UNKNOWN, Preparation, SplitReport

__all__ = ["FRAME_FOLDER", "GAPS", "ORDERS", "SPLITS", "count_frames", "prepare_sthv1"]

TEMPLATE = "{:05}.jpg"  # as shipped, from 1, and as the configs read them
FRAME_FOLDER = "20bn-something-something-v1"
CSV_PREFIX = "something-something-v1"
SPLITS = {"train": "train", "val": "validation"}  # our name, the CSV's; the test split has no labels
ORDERS = ("csv", "sorted")
GAPS, OTHERWISE = "with gaps", "named otherwise"


def count_frames(folder: str | Path) -> int | None:
    """Count the frames ``00001.jpg`` onwards of a folder; None if the numbers are not 1 to n.

    Raises:
        FileNotFoundError, NotADirectoryError: If it is no folder.
    """
    names = read_frame_folder(folder)
    if names.count and (names.gaps or (names.template, names.first) != (TEMPLATE, 1)):
        return None
    return names.count


def _read_rows(path: Path) -> list[tuple[str, str]]:
    """Read ``id;label text`` lines without header."""
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        video_id, separator, text = line.strip().partition(";")
        if not separator:
            raise UserError(
                f"{path}, line {number} ({line!r}): a line must read 'id;label text'; download the file again."
            )
        rows.append((video_id, text.strip()))
    return rows


def _sort_in(report: SplitReport, video_id: str, label: int | None, frames: Path) -> None:
    """Put one video into the report."""
    if label is None:
        return report.leave_out(UNKNOWN, video_id)
    try:
        names = read_frame_folder(frames / video_id)
    except (FileNotFoundError, NotADirectoryError):
        return report.leave_out(MISSING, video_id)
    if not names.count:
        return report.leave_out(EMPTY, video_id)
    if names.gaps:
        return report.leave_out(GAPS, video_id)
    if (names.template, names.first) != (TEMPLATE, 1):
        return report.leave_out(OTHERWISE, f"{video_id} (from {names.template.format(names.first)})")
    report.entries.append({"frame_dir": video_id, "total_frames": names.count, "label": label})


def prepare_sthv1(
    root: str | Path, order: str = "csv", progress: Callable[[int, int], None] = lambda done, total: None
) -> Preparation:
    """Look at Something-Something v1 as it is shipped; no frame is opened.

    Args:
        root: Holds the folder ``20bn-something-something-v1`` and, beside it or in ``annotations``, the CSV files.
        order: ``"csv"``: a label is the line of its name in ``something-something-v1-labels.csv`` (MMAction2);
            ``"sorted"``: its place among the sorted names (TSM).
        progress: Called with the number of videos looked at and their total.
    Raises:
        UserError: If a file is missing or malformed.
    """
    root = Path(root)
    if order not in ORDERS:
        raise UserError(f"order ({order}) must be one of {list(ORDERS)}.")
    frames = root / FRAME_FOLDER
    require_folder(frames, "Something-Something v1")
    label_file = find_file(root, f"{CSV_PREFIX}-labels.csv")
    tables = {split: find_file(root, f"{CSV_PREFIX}-{name}.csv") for split, name in SPLITS.items()}
    if label_file is None or not any(tables.values()):
        absent = "labels" if label_file is None else "train"
        raise UserError(
            f"{root / f'{CSV_PREFIX}-{absent}.csv'} is not there; {root} must hold Something-Something v1 as it is shipped."
        )
    names = read_classes(label_file)
    names = sorted(names) if order == "sorted" else names
    labels = {name: index for index, name in enumerate(names)}
    rows = {split: _read_rows(path) for split, path in tables.items() if path}
    reports, total, done = [], sum(map(len, rows.values())), 0
    for split, split_rows in rows.items():
        reports.append(SplitReport(split, left_out={MISSING: [], EMPTY: [], GAPS: [], UNKNOWN: []}))
        for video_id, text in split_rows:
            _sort_in(reports[-1], video_id, labels.get(text), frames)
            done += 1
            progress(done, total)
    notes, remedy = [], "unpack the frames there"
    if count := sum(len(report.left_out.get(OTHERWISE, ())) for report in reports):
        folders = "1 folder of frames is" if count == 1 else f"{count} folders of frames are"
        way_out = f"name their frames {TEMPLATE.format(1)} onwards, as shipped"
        notes.append(f"note: {folders} whole, but named otherwise; {way_out}")
        remedy = f"{remedy}, and {way_out}"
    return Preparation(reports, names, "rawframes", frames, remedy, notes)
