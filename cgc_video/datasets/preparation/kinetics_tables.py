"""The official CSV files of Kinetics: found by their header, each row read or named."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ..lists import read_text
from .scan import scan_files
from .words import some

__all__ = ["COLUMNS", "Segment", "find_tables", "read_segments"]

COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split")
SPLITS = {"train": "train", "val": "val", "validate": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True)
class Segment:
    """One row of an official CSV file; ``stem`` is the file name that most copies use, without its suffix.

    Attributes:
        name: The class; empty for a row of the test split that has none.
    """

    split: str
    name: str
    youtube_id: str
    stem: str


def find_tables(root: Path) -> tuple[list[Path], list[str]]:
    """List the CSV files below ``root`` whose header has the official columns, and tell which others were left alone.

    Raises:
        UserError: If a file holds rows as the official ones do, or has their name, but not the header.
    """
    tables, others = [], []
    for path in sorted(root / file.path for file in scan_files(root, (".csv",), with_size=False)):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            try:
                first = _names(next(csv.reader(file), []))
            except csv.Error as error:
                raise UserError(f"{path}, line 1: {error}; download it again, or name the files by --csv.") from error
        if set(COLUMNS) <= set(first):
            tables.append(path)
        elif _without_labels(first):
            others.append(f"{path.name} (it has no labels)")
        elif set(first) & {"youtube_id", "time_start"} or _is_row(first) or path.stem.lower() in SPLITS:
            raise UserError(
                f"{path} has no header {','.join(COLUMNS)} in its first line ({','.join(first)!r}); add or mend it, or name "
                "the files that count by --csv."
            )
        else:
            others.append(path.name)
    if not others:
        return tables, []
    files = "1 CSV file without Kinetics' header was" if len(others) == 1 else f"{len(others)} such CSV files were"
    return tables, [f"note: {files} left alone: {some(others)}"]


def _names(cells: Iterable[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]


def _without_labels(header: list[str]) -> bool:
    """Whether this is the header of the test split as it was first published."""
    return set(COLUMNS) - set(header) == {"label"}


def _is_row(cells: list[str]) -> bool:
    return len(cells) >= len(COLUMNS) - 1 and all(cell.replace(".", "", 1).isdigit() for cell in cells[2:4])


def read_segments(tables: Iterable[Path]) -> list[Segment]:
    """Read the rows of official CSV files, each once.

    Raises:
        UserError: If a file cannot be read, lacks a column, or a row is malformed; names the line and the value.
    """
    segments: dict[Segment, None] = {}
    for table in tables:
        reader = csv.reader(io.StringIO(read_text(table), newline=""))
        try:
            header = _names(next(reader, []))
            if missing := [column for column in COLUMNS if column not in header]:
                raise UserError(f"{table} lacks the column {missing[0]}; its header must be {','.join(COLUMNS)}.")
            for row in reader:
                if any(cell.strip() for cell in row):
                    segments[_read_segment(row, header, f"{table}, line {reader.line_num}")] = None
        except csv.Error as error:
            raise UserError(f"{table}, line {reader.line_num}: {error}; mend the line or download it again.") from error
    return list(segments)


def _read_segment(cells: list[str], header: list[str], place: str) -> Segment:
    if len(cells) != len(header):
        raise UserError(
            f"{place} ({','.join(cells)!r}): a row must have {len(header)} columns as the header has, not {len(cells)}; mend the "
            "line or download it again."
        )
    row = dict(zip(header, cells, strict=True))
    try:
        start, end = (int(float(row[key])) for key in ("time_start", "time_end"))
    except (ValueError, OverflowError):
        value = (row["time_start"], row["time_end"])
        raise UserError(f"{place} {value}: time_start and time_end must be seconds; download it again.") from None
    if (split := SPLITS.get(row["split"].strip().lower())) is None:
        raise UserError(
            f"{place}: split ({row['split']!r}) must be train, val, validate or test; correct or remove the line."
        )
    name, youtube_id = row["label"].replace('"', "").strip(), row["youtube_id"].strip()
    if not youtube_id or (not name and split != "test"):
        raise UserError(
            f"{place} ({','.join(cells)!r}): {'label' if youtube_id else 'youtube_id'} is empty; fill it in."
        )
    return Segment(split, name, youtube_id, f"{youtube_id}_{start:06d}_{end:06d}")
