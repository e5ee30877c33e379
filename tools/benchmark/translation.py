"""Time the translation models of Table 6 at full size: training steps against LightConv's, and tokens of decoding."""

import argparse
import importlib.util
import runpy
import shlex
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import torch

import cgc_video  # noqa: F401  registers all types
from cgc_video.benchmark.environment import describe
from cgc_video.benchmark.options import chosen
from cgc_video.benchmark.settings import AMP_DTYPES, Settings
from cgc_video.benchmark.translation import run
from cgc_video.benchmark.translation_cases import CASES, TrainingCase
from cgc_video.engine.cli import run_tool
from cgc_video.errors import UserError

EXAMPLE = """\
cases:
{cases}
example:
  python tools/benchmark/translation.py --cases step-32 greedy-lightconv
prints lines as it goes, and ends with a table; work_dirs/benchmark then holds translation.csv and translation.md:
  case              pass       formulation  median ms  min   middle half    ratio
  step-32           training   plain              ...  ...   ... to ...      1.00
  step-32           training   cgc                ...  ...   ... to ...       ...
  greedy-lightconv  inference  plain              ...  ...   ... to ...      1.00
  greedy-lightconv  inference  late               ...  ...   ... to ...       ...
A training step is forward and backward of one batch; plain is LightConv. Decoding adds one token to each hypothesis: plain behind
8 others, late behind 128, and anew as a decoder without a state, which scores the 128 again. Ratios are of medians, timed in turn.
"""


def build_parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {case.name:<19} {case.input}: {', '.join(('plain', *case.formulations))}" for case in CASES)
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE.format(cases=lines), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", metavar="CASE", help="which to run (default: all)")
    parser.add_argument("--tokens", type=int, default=4000, help="of a training batch (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="measured rounds (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=1, help="rounds before them (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: %(default)s")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    parser.add_argument("--amp", metavar="DTYPE", help=f"autocast: {' or '.join(AMP_DTYPES)} (default: float32)")
    parser.add_argument("--output", type=Path, default=Path("work_dirs/benchmark"), help="default: %(default)s")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.tokens < 1:
        raise UserError(f"--tokens ({args.tokens}) must be at least 1.")
    settings = Settings(args.device, args.amp, False, args.threads, args.repeats, args.warmup)
    cases = [
        replace(case, tokens=args.tokens) if isinstance(case, TrainingCase) else case
        for case in chosen(args.cases, CASES, CASES)
    ]
    command = shlex.join(["python", "tools/benchmark/translation.py", *(sys.argv[1:] if argv is None else argv)])
    run(cases, settings, describe(settings, command), args.output, lambda line: print(line, flush=True))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
