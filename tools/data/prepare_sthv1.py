"""Make the lists of Something-Something v1 from the CSV files and frame folders as they are shipped."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

from cgc_video.datasets.preparation.command import add_options, check_options, complete
from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.datasets.preparation.sthv1 import ORDERS, prepare_sthv1
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/data/prepare_sthv1.py data/sthv1
prints:
  train: 86017 listed, 86017 found (100.0 %), 0 missing, 0 empty, 0 with gaps, 0 of an unknown class
  val: 11522 listed, 11522 found (100.0 %), 0 missing, 0 empty, 0 with gaps, 0 of an unknown class
  174 classes; names in the lists are relative to data/sthv1/20bn-something-something-v1
  Wrote data/sthv1/train_list.txt, data/sthv1/val_list.txt and data/sthv1/classes.txt.

DATA_ROOT holds 20bn-something-something-v1/<id>/00001.jpg and something-something-v1-{labels,train,validation}.csv.
A list of an earlier run that this one does not write gets the suffix .old; a classes.txt with other names stays, unless --force is given.
Exit code: 0, or 2 where nothing usable was found or could be written.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, "data/sthv1")
    parser.add_argument(
        "--order",
        choices=ORDERS,
        default="csv",
        help="labels by line of -labels.csv, as in MMAction2, or by sorted name, as in TSM's code (default: csv)",
    )
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    check_options(args)
    with ProgressLine("Looked at video") as progress:
        preparation = prepare_sthv1(args.data_root, args.order, progress)
    for line in complete(preparation, args):
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
