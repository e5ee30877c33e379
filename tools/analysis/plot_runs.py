"""Draw the curves of several work dirs in one figure, training and validation (the paper's Fig. 3)."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import cgc_video  # noqa: F401  registers all types
from cgc_video.analysis.run_curves import plot_runs, read_curves
from cgc_video.engine.cli import run_tool
from cgc_video.engine.output import check_writable
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  for name in tsn_r18_mini tsn_r18_cgc_mini; do python tools/train.py configs/$name.py; done
  python tools/analysis/plot_runs.py work_dirs/tsn_r18_mini work_dirs/tsn_r18_cgc_mini --labels TSN "TSN + CGC"
prints:
  work_dirs/runs.png: train_top1, val_top1, loss of 2 runs
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work_dirs", nargs="+", metavar="work_dir", help="work dirs of trainings")
    parser.add_argument("--labels", nargs="+", help="a name per work dir (default: the folders' names)")
    parser.add_argument("--metrics", nargs="+", help="default: top1 loss, as far as there are any")
    parser.add_argument("--output", type=Path, default=Path("work_dirs/runs.png"), help="default: %(default)s")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    labels = args.labels or [Path(folder).resolve().name for folder in args.work_dirs]
    if len(labels) != len(args.work_dirs):
        raise UserError(f"--labels ({', '.join(labels)}) must be one per work dir ({len(args.work_dirs)}).")
    if len(set(labels)) < len(labels):
        raise UserError(f"the runs ({', '.join(labels)}) need names of their own; give --labels.")
    runs = {label: read_curves(folder) for label, folder in zip(labels, args.work_dirs, strict=True)}
    check_writable(str(args.output), "--output")
    known = {column.removeprefix("train_").removeprefix("val_") for run in runs.values() for column in run}
    metrics = args.metrics or [metric for metric in ("top1", "loss") if metric in known]
    columns = plot_runs(runs, args.output, metrics)
    print(f"{args.output}: {', '.join(columns)} of {len(runs)} runs")
    for label, run in runs.items():
        if lacking := [column for column in columns if column not in run]:
            print(f"note: {label} has no {', '.join(lacking)}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
