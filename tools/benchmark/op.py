"""Time each distinct gated convolution of a network, and measure its memory, against the plain convolution."""

import argparse
import importlib.util
import runpy
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import cgc_video  # noqa: F401  registers all types
from cgc_video.benchmark.environment import describe
from cgc_video.benchmark.networks import NetworkCase
from cgc_video.benchmark.options import add_options, chosen, settings_from
from cgc_video.benchmark.session import run_cases
from cgc_video.benchmark.totals import with_totals
from cgc_video.engine.cli import run_tool

DEPTHS = {"resnet18": 18, "resnet34": 34, "resnet50": 50, "resnet101": 101}

EXAMPLE = """\
example:
  python tools/benchmark/op.py --cases c512-o512-3x3-7x7 --formulations ours eager
checks the op first, then prints lines as it goes, and ends with a table; work_dirs/benchmark then holds op_resnet50_224.csv, .md and .png:
  case               pass       formulation  median ms  min   middle half    ratio  GFLOP/s  peak MiB  ratio  note
  c512-o512-3x3-7x7  inference  plain              ...  ...   ... to ...      1.00      ...       ...   1.00
  c512-o512-3x3-7x7  inference  ours               ...  ...   ... to ...       ...      ...       ...    ...
A case is named by its channels in and out, kernel, stride (-s2) and input size. Without --cases a last row adds up all layers, each as
often as the network holds it. Many small samples: --network resnet18 --size 64 --batch 256
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", choices=list(DEPTHS), default="resnet50", help="default: %(default)s")
    parser.add_argument("--size", type=int, default=224, help="height and width of its frames (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8, help="frames of a batch (default: %(default)s)")
    add_options(parser, repeats=10, default_cases="all layers")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    settings = settings_from(args)
    network = NetworkCase(args.network, "TSNResNet", DEPTHS[args.network], "CGC2d", args.batch, 1, args.size)
    layers = network.layers()
    cases = chosen(args.cases, layers, layers)
    command = shlex.join(["python", "tools/benchmark/op.py", *(sys.argv[1:] if argv is None else argv)])
    run_cases(
        cases,
        cases,
        args.formulations,
        args.modes,
        settings,
        describe(settings, command),
        Path(args.output),
        f"op_{args.network}_{args.size}",
        lambda line: print(line, flush=True),
        finish=lambda rows: with_totals(rows, layers),
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
