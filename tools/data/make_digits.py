"""Write scikit-learn's handwritten digits as class folders of images: the data of the small image configs."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

from cgc_video.datasets.digits import write_digits
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/data/make_digits.py --output data/digits
prints:
  Wrote 1438 training and 359 validation images of 10 digits to data/digits.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("data/digits"), help="folder (default: %(default)s)")
    parser.add_argument("--val-share", type=float, default=0.2, help="of each digit (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the split (default: %(default)s)")
    parser.add_argument("--force", action="store_true", help="replace the train and val that the folder has")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    counts = write_digits(args.output, args.val_share, args.seed, args.force)
    print(f"Wrote {counts['train']} training and {counts['val']} validation images of 10 digits to {args.output}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
