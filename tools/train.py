"""Train a video model by a config."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import cgc_video  # noqa: F401  registers all types
from cgc_video.engine import launch
from cgc_video.engine.cli import add_common_options, run_tool
from cgc_video.engine.config import set_launcher, set_work_dir
from cgc_video.engine.guards.overrides import load_overridden
from cgc_video.engine.options import apply_train_options

EXAMPLE = """\
example:
  python tools/train.py configs/tsm_r18_cgc_mini.py --work-dir work_dirs/try --cfg-options train_cfg.max_epochs=1
prints a start-up summary, then loss, learning rate and remaining time, and the accuracy after each epoch:
  Epoch(train) [1][20/32]  base_lr: 1.3032e-02 lr: 1.3032e-02  eta: 0:01:22  time: 6.8616  data_time: 0.0466  loss: 2.15
  Epoch(val) [1][8/8]    acc/top1: 0.1484  acc/top5: 0.6484  acc/mean1: 0.1484  report/clips: 128
The work dir then holds checkpoints, curves.png, curves.csv, the log, and eval/ with per-class tables.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config file")
    add_common_options(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CHECKPOINT",
        help="go on from this checkpoint, or without a value from the last whole one in the work dir, as if training had not "
        "stopped; default_hooks.checkpoint.every_minutes (30) and every_iters set how often an epoch is saved from inside",
    )
    parser.add_argument("--amp", action="store_true", help="train in automatic mixed precision (GPU only)")
    parser.add_argument("--no-validate", action="store_true", help="skip validation during training")
    parser.add_argument(
        "--auto-scale-lr",
        action="store_true",
        help="multiply the learning rate by batch size / auto_scale_lr.base_batch_size",
    )
    parser.add_argument(
        "--seed",
        type=int,
        help="random seed; by default that of the config, else one that is drawn and logged; equal seeds give equal runs on "
        "one machine: on a CPU with one thread to the last bit, whatever num_workers is, on a GPU with --deterministic",
    )
    parser.add_argument("--diff-rank-seed", action="store_true", help="give each process a seed of its own")
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="use deterministic algorithms in cuDNN, cuBLAS and torch, which is slower; operations on a GPU that have none are named "
        "by a warning (docs/reliability.md)",
    )
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    cfg = load_overridden(args.config, args.cfg_options, "train")
    set_work_dir(cfg, args.config, args.work_dir)
    set_launcher(cfg, args.launcher, args.local_rank)
    apply_train_options(
        cfg,
        resume=args.resume,
        amp=args.amp,
        no_validate=args.no_validate,
        auto_scale_lr=args.auto_scale_lr,
        seed=args.seed,
        diff_rank_seed=args.diff_rank_seed,
        deterministic=args.deterministic,
    )
    launch.train(cfg)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
