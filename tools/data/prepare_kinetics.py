"""Make the lists of Kinetics-400 from the official CSV files and the videos that are there."""

import argparse
import sys
from pathlib import Path

from cgc_video.datasets.preparation.kinetics import prepare_kinetics
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/data/prepare_kinetics.py data/kinetics400
prints:
  train: 240258 of 246245 videos found (97.6 %)
  val: 19881 of 20000 videos found (99.4 %)
  Wrote data/kinetics400/train_list.txt, data/kinetics400/val_list.txt and data/kinetics400/classes.txt.

Videos lie below DATA_ROOT in any folders, named <youtube_id>_<start>_<end>.mp4 with times of six digits.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data_root", type=Path, nargs="?", default=Path("data/kinetics400"), help="default: %(default)s"
    )
    parser.add_argument(
        "--csv", type=Path, nargs="+", default=[], help="official CSV files (default: every one below DATA_ROOT)"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    try:
        reports = prepare_kinetics(args.data_root, args.csv)
    except (UserError, OSError) as error:
        print(f"prepare_kinetics.py: error: {error}", file=sys.stderr)
        return 2
    for report in reports:
        share = f" ({len(report.found) / report.listed:.1%})".replace("%", " %") if report.listed else ""
        print(f"{report.split}: {len(report.found)} of {report.listed} videos found{share}")
        if report.missing:
            print(f"  missing: {', '.join(report.missing[:5])}{', ...' if len(report.missing) > 5 else ''}")
    written = [str(args.data_root / f"{report.split}_list.txt") for report in reports if report.found]
    print(f"Wrote {', '.join(written)} and {args.data_root / 'classes.txt'}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
