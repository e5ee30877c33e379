"""Count parameters and multiply-adds of the models of configs, by stage and by part, and time them on request."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))


import cgc_video  # noqa: F401  registers all types
from cgc_video.engine.cli import run_tool
from cgc_video.engine.guards.overrides import OptionAction
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/analysis/complexity.py configs/tsm_r18_mini.py configs/tsm_r18_cgc_mini.py --latency
prints each model by stage and by part, then both side by side, then the counting rule:
  configs/tsm_r18_cgc_mini.py, a clip of 4 frames, 32 x 32
  stage    parameters  multiply-adds (M)  gates: parameters  gates: multiply-adds (M)
  stem        186,856             13.926            177,320                     4.292
  ...
  part            parameters  multiply-adds (M)
  gate: encode        65,044              1.459
  ...
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="config files; the first is the one compared with")
    parser.add_argument("--size", type=int, help="height and width of a view, in place of the validation pipeline's")
    style = parser.add_mutually_exclusive_group()
    style.add_argument(
        "--csv", dest="style", action="store_const", const="csv", help="a row per config, stage and part"
    )
    style.add_argument("--markdown", dest="style", action="store_const", const="markdown", help="Markdown tables")
    parser.add_argument("--output", help="file to write to, in place of the standard output")
    parser.add_argument("--latency", action="store_true", help="time a forward pass of one view, too")
    parser.add_argument(
        "--repeats", type=int, default=10, help="passes per model, of which the median counts (default: 10)"
    )
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch on the CPU, for --latency (default: 1)")
    parser.add_argument("--device", default="cpu", help="for --latency: cpu, cuda, cuda:1, ... (default: cpu)")
    parser.add_argument(
        "--cfg-options", nargs="+", action=OptionAction, metavar="KEY=VALUE", help="settings for every config"
    )
    parser.set_defaults(style="text")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    for name in ("repeats", "threads"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name} ({getattr(args, name)}) must be at least 1.")
    if args.size is not None and args.size < 1:
        raise UserError(f"--size ({args.size}) must be at least 1.")
    if args.output is not None:  # find out now that it cannot be written
        Path(args.output).parent.mkdir(parents=True, exist_ok=True)
    from cgc_video.analysis.complexity import count_config
    from cgc_video.analysis.complexity_latency import latencies
    from cgc_video.analysis.complexity_tables import render_counts

    counts = [count_config(config, args.size, args.cfg_options) for config in args.configs]
    timing = None
    if args.latency:
        timing = latencies(args.configs, args.repeats, args.device, args.threads, args.size, args.cfg_options)
    text = render_counts(counts, args.style, timing)
    if args.output is None:
        print(text, end="")
    else:
        Path(args.output).write_text(text, encoding="utf-8")
        print(f"Wrote {args.output}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
