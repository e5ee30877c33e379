"""Make the lists of data of your own: a tree of class folders, or a CSV file of clips and labels."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

from cgc_video.datasets.preparation.command import add_options, check_options, complete
from cgc_video.datasets.preparation.folder import prepare_folder
from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/data/prepare_folder.py data/mine --val-share 0.2
prints:
  train: 81 listed, 80 found (98.8 %), 0 missing, 1 empty, 0 of an unknown class
    empty: wave left/0017.mp4
  val: 20 listed, 20 found (100.0 %), 0 missing, 0 empty, 0 of an unknown class
  note: 100 paths hold a space, which ListedVideos reads and MMAction2's VideoDataset does not.
  5 classes; names in the lists are relative to data/mine
  Wrote data/mine/train_list.txt, data/mine/val_list.txt and data/mine/classes.txt.

A clip is a video, or a folder of numbered images. DATA_ROOT holds <class>/.../<clip>, or <split>/<class>/.../<clip> with splits
named train, val and test; or --csv names a table of file,label[,split] whose files are relative to DATA_ROOT.
A list of an earlier run that this one does not write gets the suffix .old; a classes.txt with other names stays, unless --force is given.
Exit code: 0, or 2 where nothing usable was found or could be written.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, None)
    parser.add_argument("--csv", type=Path, help="table of file,label[,split]; a header is allowed")
    parser.add_argument("--val-share", type=float, default=0.2, help="share for validation (default: 0.2)")
    parser.add_argument("--test-share", type=float, default=0.0, help="share for testing (default: 0)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the split (default: 0)")
    parser.add_argument("--classes", type=Path, help="class names in label order, one a line (default: sorted names)")
    parser.add_argument("--kind", choices=["video", "rawframes"], help="what a clip is, where both are there")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    check_options(args)
    shares = {"val": args.val_share, "test": args.test_share}
    with ProgressLine("Found file") as progress:
        preparation = prepare_folder(args.data_root, args.csv, shares, args.seed, args.kind, args.classes, progress)
    for line in complete(preparation, args):
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
