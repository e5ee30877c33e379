"""Make the lists of Kinetics-400 (or 600, 700) from the official CSV files and the videos that are there."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

from cgc_video.datasets.preparation.command import add_options, check_options, complete
from cgc_video.datasets.preparation.kinetics import prepare_kinetics
from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/data/prepare_kinetics.py data/kinetics400
prints:
  train: 246245 listed, 240258 found (97.6 %), 5987 missing, 0 empty
    missing: ---QUuC4vJs_000084_000094, ...
  val: 20000 listed, 19881 found (99.4 %), 119 missing, 0 empty
    missing: ...
  400 classes; names in the lists are relative to data/kinetics400
  Wrote data/kinetics400/train_list.txt, data/kinetics400/val_list.txt and data/kinetics400/classes.txt.

Videos lie below DATA_ROOT in any folders, flat or by class, named <youtube_id>_<start>_<end>.mp4 with times of six digits.
A list of an earlier run that this one does not write gets the suffix .old; a classes.txt with other names stays, unless --force is given.
Exit code: 0, or 2 where nothing usable was found or could be written.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, "data/kinetics400")
    parser.add_argument(
        "--csv", type=Path, nargs="+", default=[], help="official CSV files (default: every one below DATA_ROOT)"
    )
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    check_options(args)
    with ProgressLine("Found video") as progress:
        preparation = prepare_kinetics(args.data_root, args.csv, progress)
    for line in complete(preparation, args):
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
