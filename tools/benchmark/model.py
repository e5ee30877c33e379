"""Time whole networks with gated convolutions, and measure their memory, against the same networks with plain ones."""

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
from cgc_video.benchmark.networks import NETWORKS
from cgc_video.benchmark.options import add_options, chosen, settings_from
from cgc_video.benchmark.session import run_cases
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
cases:
{cases}
example:
  python tools/benchmark/model.py --cases r50-cgc2d --modes training memory
checks the op first, then prints lines as it goes, and ends with a table; work_dirs/benchmark then holds model.csv, model.md, model.png:
  case       pass      formulation  median ms  min   middle half    ratio  peak MiB  ratio  note
  r50-cgc2d  training  plain              ...  ...   ... to ...      1.00       ...   1.00
  r50-cgc2d  training  ours               ...  ...   ... to ...       ...       ...    ...
On a GPU: python tools/benchmark/model.py --device cuda --amp bf16 --channels-last
The ratio is the median time over the median of plain; the passes are timed in turn. Peak memory is that beyond inputs and weights.
"""


def build_parser() -> argparse.ArgumentParser:
    lines = "\n".join(
        f"  {case.name:<22} {case.backbone}({case.depth}) + {case.gate}, {case.input}" for case in NETWORKS
    )
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE.format(cases=lines), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, repeats=5, default_cases="the first three, on a GPU the last one")
    parser.add_argument("--size", type=int, help="height and width of the frames, in place of the case's")
    parser.add_argument("--clips", type=int, help="clips of a batch, in place of the case's")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    settings = settings_from(args)
    default = [case for case in NETWORKS if case.default_on == ("cuda" if settings.on_gpu else "cpu")]
    cases = [case.resized(args.size, args.clips) for case in chosen(args.cases, NETWORKS, default)]
    command = shlex.join(["python", "tools/benchmark/model.py", *(sys.argv[1:] if argv is None else argv)])
    layers = {layer.conv: layer for case in cases for layer in case.layers()}.values()
    run_cases(
        cases,
        list(layers),
        args.formulations,
        args.modes,
        settings,
        describe(settings, command),
        Path(args.output),
        "model",
        lambda line: print(line, flush=True),
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
