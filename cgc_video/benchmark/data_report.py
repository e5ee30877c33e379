"""A whole run of the data benchmark: files, cases one by one, table, CSV and Markdown."""

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import torch

from cgc_video.evaluation.tables import text_table

from .data_cases import data_cases
from .data_files import prepare_files
from .data_run import DataRow, measure_file

__all__ = ["CASES", "run"]

CASES = tuple(case.name for case in data_cases([], [], []))
_HEADER = ("case", "file", "stock ms", "ours ms", "speed-up", "difference", "stock MiB", "ours MiB", "ratio")
_NOT_IN_HEAD = ("ratios", "dtype", "memory format", "rounds")  # of the benchmarks of networks


def run(
    clips: Sequence[Path],
    names: Sequence[str],
    repeats: int,
    frames: int,
    with_memory: bool,
    environment: Mapping[str, str],
    folder: Path,
    report: Callable[[str], None],
) -> list[DataRow]:
    """Measure the cases and write ``data.csv`` and ``data.md`` below ``folder``.

    Args:
        clips: Videos besides the generated ones, whose length is ``frames``.
        with_memory: Measure the peak memory of test samples.
        report: Gets the lines to print.
    """
    videos, fast, folders = prepare_files(folder / f"data_{frames}", clips, frames)
    saved = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    rows = []
    try:
        for case in data_cases(videos, fast, folders):
            if case.name not in names:
                continue
            for index in range(len(case.samples)):
                rows.append(measure_file(case, index, repeats, with_memory and case.name.startswith("test")))
                report(_line(rows[-1]))
    finally:
        cv2.setNumThreads(saved[0])
        torch.set_num_threads(saved[1])
    sizes = sum(path.stat().st_size for path in fast) / sum(path.stat().st_size for path in videos)
    head = {name: value for name, value in environment.items() if name not in _NOT_IN_HEAD}
    head |= {
        "rounds": f"{repeats}, in turn",
        "speed-up": "median over the rounds of stock over ours, geometric mean over files",
    }
    head |= {"re-encoded": f"{sizes:.2f} of the bytes"}
    paths = [folder / "data.csv", folder / "data.md"]
    _write_csv(rows, head, paths[0])
    _write_markdown(rows, head, paths[1])
    table = text_table(_HEADER, [_cells(row) for row in rows] + _means(rows), left=(0, 1))
    report(
        f"\n{table}\n\nre-encoded files have {sizes:.2f} of the bytes\nfiles:\n"
        + "\n".join(f"  {path}" for path in paths)
    )
    return rows


def _line(row: DataRow) -> str:
    stages = ", ".join(f"{name} {value:.1f}" for name, value in list(row.stages.items())[:4])
    return (
        f"{row.case}, {row.file}: {row.stock_ms:.1f} ms against {row.ours_ms:.1f} ms ({row.speedup:.2f}); {stages} ms"
    )


def _cells(row: DataRow) -> list[str]:
    def number(value: float | None, digits: int) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    return [
        row.case,
        row.file,
        number(row.stock_ms, 1),
        number(row.ours_ms, 1),
        number(row.speedup, 2),
        number(row.difference, 3),
        number(row.stock_mib, 0),
        number(row.ours_mib, 0),
        number(row.memory_ratio, 2),
    ]


def _means(rows: Sequence[DataRow]) -> list[list[str]]:
    """A line per case, and per group of its files where it has some: the geometric mean of the speed-ups."""
    lines = []
    for name in dict.fromkeys(row.case for row in rows):
        of_case = [row for row in rows if row.case == name]
        for group in [*dict.fromkeys(row.group for row in of_case if row.group), ""]:
            logs = [math.log(row.speedup) for row in of_case if not group or row.group == group]
            label = f"geometric mean{group and f', {group}'}"
            lines.append([name, label, "", "", f"{math.exp(sum(logs) / len(logs)):.2f}", "", "", "", ""])
    return lines


def _write_csv(rows: Sequence[DataRow], environment: Mapping[str, str], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {name}: {value}\n" for name, value in environment.items())
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_HEADER, "stages (ms)"])
        for row in rows:
            writer.writerow([*_cells(row), "; ".join(f"{name} {value:.2f}" for name, value in row.stages.items())])


def _write_markdown(rows: Sequence[DataRow], environment: Mapping[str, str], path: Path) -> None:
    lines = [_HEADER, ["---"] * len(_HEADER), *(_cells(row) for row in rows), *_means(rows)]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "\n".join(f"- {name}: {value}" for name, value in environment.items())
    path.write_text(f"{text}\n\n{notes}\n", encoding="utf-8")
