"""Make the lists of Something-Something v1 from the CSV files and frame folders as they are shipped."""

import argparse
import sys
from pathlib import Path

from cgc_video.datasets.preparation.sthv1 import prepare_sthv1
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/data/prepare_sthv1.py data/sthv1
prints:
  train: 86017 listed, 86017 found, 0 missing, 0 empty, 0 with gaps, 0 of an unknown class
  val: 11522 listed, 11522 found, 0 missing, 0 empty, 0 with gaps, 0 of an unknown class
  Wrote data/sthv1/train_list.txt, data/sthv1/val_list.txt and data/sthv1/classes.txt.

DATA_ROOT holds 20bn-something-something-v1/<id>/00001.jpg and something-something-v1-{labels,train,validation}.csv.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_root", type=Path, nargs="?", default=Path("data/sthv1"), help="default: %(default)s")
    return parser


def _show_progress(done: int, total: int) -> None:
    if sys.stdout.isatty() and (done % 500 == 0 or done == total):
        print(f"\rLooked at {done}/{total} videos", end="\n" if done == total else "", flush=True)


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    try:
        reports = prepare_sthv1(args.data_root, _show_progress)
    except (UserError, OSError) as error:
        print(f"prepare_sthv1.py: error: {error}", file=sys.stderr)
        return 2
    for report in reports:
        left_out = {
            "missing": report.missing,
            "empty": report.empty,
            "with gaps": report.broken,
            "of an unknown class": report.unknown,
        }
        counts = ", ".join(f"{len(ids)} {what}" for what, ids in left_out.items())
        print(f"{report.split}: {report.listed} listed, {len(report.found)} found, {counts}")
        for what, ids in left_out.items():
            if ids:
                print(f"  {what}: {', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''}")
    written = [str(args.data_root / f"{report.split}_list.txt") for report in reports if report.found]
    print(f"Wrote {', '.join(written)} and {args.data_root / 'classes.txt'}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
