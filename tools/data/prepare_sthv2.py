"""Make the lists of Something-Something v2 from the JSON files and WebM videos as they are shipped."""

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
from cgc_video.datasets.preparation.sthv2 import prepare_sthv2
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/data/prepare_sthv2.py data/sthv2
prints:
  train: 168913 listed, 168913 found (100.0 %), 0 missing, 0 empty, 0 of an unknown class
  val: 24777 listed, 24777 found (100.0 %), 0 missing, 0 empty, 0 of an unknown class
  174 classes; names in the lists are relative to data/sthv2/20bn-something-something-v2
  Wrote data/sthv2/train_list.txt, data/sthv2/val_list.txt and data/sthv2/classes.txt.

DATA_ROOT holds 20bn-something-something-v2/<id>.webm and something-something-v2-{labels,train,validation}.json, or
{labels,train,validation}.json in labels/. With test-answers.csv there is also test_list.txt.
A list of an earlier run that this one does not write gets the suffix .old; a classes.txt with other names stays, unless --force is given.
Exit code: 0, or 2 where nothing usable was found or could be written.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, "data/sthv2")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    check_options(args)
    with ProgressLine("Found video") as progress:
        preparation = prepare_sthv2(args.data_root, progress)
    for line in complete(preparation, args):
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
