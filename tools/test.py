"""Test a checkpoint by a config: accuracy, per-class table and confusion matrix."""

import argparse
import importlib.util
import os
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

from mmengine.dist import is_main_process

import cgc_video  # noqa: F401  registers all types
from cgc_video.engine import launch
from cgc_video.engine.cli import add_common_options, run_tool
from cgc_video.engine.config import set_launcher, set_work_dir
from cgc_video.engine.guards.overrides import load_overridden
from cgc_video.engine.options import add_dump, show_predictions
from cgc_video.evaluation.report import result_table

EXAMPLE = """\
example:
  python tools/test.py configs/tsm_r18_cgc_mini.py work_dirs/quickstart/epoch_5.pth
logs a per-class table and ends with:
  test                               result
  -------------------  --------------------
  top-1                             96.88 %
  top-5                            100.00 %
  mean class accuracy               96.88 %
  clips tested                          256
  views per clip                          6
  time                 61.6 s (4.2 clips/s)
and the files that it wrote to <work dir>/eval.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("checkpoint", help="checkpoint (.pth) of the model that the config builds")
    add_common_options(parser)
    parser.add_argument("--dump", metavar="FILE.pkl", help="write the predictions to a pickle file")
    parser.add_argument("--show", action="store_true", help="show clips with their prediction in a window")
    parser.add_argument("--show-dir", help="write clips with their prediction to this folder")
    parser.add_argument("--interval", type=int, default=1, help="draw every INTERVAL-th clip")
    parser.add_argument("--wait-time", type=float, default=2, help="seconds that a window stays")
    return parser


def _short_path(path: str) -> str:
    relative = os.path.relpath(path)
    return os.path.abspath(path) if relative.startswith("..") else relative


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    cfg = load_overridden(args.config, args.cfg_options, "test")
    set_work_dir(cfg, args.config, args.work_dir)
    set_launcher(cfg, args.launcher, args.local_rank)
    show_predictions(cfg, args.show, args.show_dir, args.interval, args.wait_time)
    if args.dump is not None:
        add_dump(cfg, args.dump)
    result = launch.test(cfg, args.checkpoint)
    if is_main_process():
        print()
        skipped = len(result.skipped)
        counts = result.clips, result.views, result.seconds, skipped, result.decoder, result.unit
        print(result_table(result.metrics, *counts))
        files = [*result.files, *([args.dump] if args.dump else [])]
        print("\nfiles:", *map(_short_path, files), sep="\n  ")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
