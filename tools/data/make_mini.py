"""Render the mini data set: short encoded clips of 8 classes that differ only in the order of their frames."""

import argparse
import importlib.util
import os
import runpy
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.classes import CLASSES
from cgc_video.datasets.mini_sth.layout import FORMATS, MiniArguments
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/data/make_mini.py --output data/mini_sth
prints, besides progress:
  Rendered 768 training and 256 validation clips of 8 classes in 21 s.
  data/mini_sth: videos/, train_list.txt, val_list.txt, classes.txt, mini.json

With --format rawframes the layout is that of Something-Something v1 as shipped; `python tools/data/prepare_sthv1.py`
on the same folder then makes the lists.
"""


def build_parser() -> argparse.ArgumentParser:
    default = MiniArguments()
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("data/mini_sth"), help="folder (default: %(default)s)")
    parser.add_argument("--train", type=int, default=default.train, help="training clips (default: %(default)s)")
    parser.add_argument("--val", type=int, default=default.val, help="validation clips (default: %(default)s)")
    parser.add_argument("--size", type=int, default=default.size, help="frame height in pixels (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=default.frames, help="mean clip length (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=default.seed, help="random seed (default: %(default)s)")
    parser.add_argument("--format", choices=FORMATS, default=default.format, help="default: %(default)s")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.add_argument("--force", action="store_true", help="replace a mini data set with other arguments")
    return parser


def _progress_printer():
    """Return a progress callback: a line that rewrites itself on a terminal, else a line per quarter."""
    start = time.monotonic()
    quarters = set()

    def show(done: int, total: int) -> None:
        seconds = time.monotonic() - start
        left = f", {seconds / done * (total - done):.0f} s left" if done else ""
        if sys.stdout.isatty():
            print(f"\rRendering clip {done}/{total}{left}   ", end="\n" if done == total else "", flush=True)
        elif (quarter := 4 * done // total) not in quarters:
            quarters.add(quarter)
            print(f"Rendering clip {done}/{total}{left}", flush=True)

    return show


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    arguments = MiniArguments(args.train, args.val, args.size, args.frames, args.seed, args.format)
    start = time.monotonic()
    try:
        rendered = build_mini(args.output, arguments, args.workers, args.force, _progress_printer())
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written.", file=sys.stderr)
        return 130
    what = f"{args.train} training and {args.val} validation clips of {len(CLASSES)} classes"
    if rendered:
        print(f"Rendered {what} in {time.monotonic() - start:.0f} s.")
    else:
        print(f"Reused: {what} are there, made with the same arguments.")
    print(f"{args.output}: {', '.join(sorted(p.name + '/' * p.is_dir() for p in args.output.iterdir()))}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
