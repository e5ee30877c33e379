"""What the command lines of the preparation share: options, and the steps after a data set was looked at."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from ...errors import UserError
from .output import require_folder_for_output
from .progress import ProgressLine
from .report import Preparation
from .words import counted, printable

__all__ = ["add_options", "check_options", "complete"]


def add_options(parser: argparse.ArgumentParser, data_root: str | None) -> None:
    """Add ``DATA_ROOT`` (a default makes it optional), ``--output``, ``--force``, ``--probe``, ``--workers`` and ``--time-limit``."""
    optional = {} if data_root is None else {"nargs": "?", "default": Path(data_root)}
    text = "folder of the data set" + ("" if data_root is None else " (default: %(default)s)")
    parser.add_argument("data_root", type=Path, help=text, **optional)
    parser.add_argument("--output", type=Path, help="folder of the lists and classes.txt (default: DATA_ROOT)")
    parser.add_argument("--force", action="store_true", help="replace lists that are there with other classes")
    parser.add_argument(
        "--probe", action="store_true", help="open each clip and decode its first frame, which takes longer"
    )
    workers = os.cpu_count() or 1
    parser.add_argument("--workers", type=int, default=workers, help="processes of --probe (default: one per core)")
    parser.add_argument("--time-limit", type=float, default=60, help="seconds per clip of --probe (default: 60)")


def check_options(args: argparse.Namespace) -> None:
    """Refuse what would only show after the data set was looked at.

    Raises:
        UserError: If a number is out of range or the lists could not be written.
    """
    if args.workers < 1 or args.time_limit <= 0:
        raise UserError(f"--workers ({args.workers}) and --time-limit ({args.time_limit:g}) must be above 0.")
    if args.output or args.data_root.is_dir():
        require_folder_for_output(args.output or args.data_root, "--output")


def complete(preparation: Preparation, args: argparse.Namespace) -> Iterator[str]:
    """Probe if asked, write the lists, and yield what to print.

    Raises:
        UserError: If nothing usable is left, or the lists of other classes would be replaced.
    """
    folder = args.output or args.data_root
    preparation.check_output(folder, args.force)
    if args.probe:
        with ProgressLine("Probed clip", every=1000) as progress:
            preparation.probe(args.workers, args.time_limit, progress)
    written = preparation.write(folder, args.force)
    for report in preparation.reports:
        yield from report.lines()
    yield from map(printable, preparation.notes)
    if len(preparation.classes) == 1:
        yield f"note: {preparation.classes[0]} is the only class, so there is nothing to tell apart"
    if note := preparation.spaces_note():
        yield note
    yield f"{counted(len(preparation.classes), 'class')}; names in the lists are relative to {preparation.media}"
    yield f"Wrote {', '.join(map(str, written[:-1]))} and {written[-1]}."
