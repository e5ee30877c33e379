"""Show where the time of ``cgc_video.apis.predict`` goes: network, decoder, the rest."""

import argparse
import importlib.util
import runpy
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import torch

import cgc_video  # noqa: F401  registers all types
from cgc_video.apis import load_recognizer
from cgc_video.apis.sources import expand_sources
from cgc_video.benchmark.environment import describe
from cgc_video.benchmark.prediction import profile_prediction
from cgc_video.benchmark.settings import Settings
from cgc_video.engine.cli import run_tool
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/benchmark/prediction.py configs/tsm_r18_cgc_mini.py work_dirs/quickstart/epoch_5.pth data/mini_sth/videos
prints commit and hardware, and:
  100 sources, ... s in predict
    network      ... s    ... %
    decoder      ... s    ... %
    the rest     ... s    ... %
  one by one ... s, decoding ahead (predict_many) ... s
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config of a 2D recognizer")
    parser.add_argument("checkpoint", help="checkpoint (.pth) of that model")
    parser.add_argument("sources", nargs="+", metavar="input", help="video files, or folders of them")
    parser.add_argument("--limit", type=int, default=100, help="take so many of them (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="threads that decode ahead (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: %(default)s")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.limit < 1:
        raise UserError(f"--limit ({args.limit}) must be at least 1.")
    settings = Settings(args.device, None, False, args.threads, 1, 1)
    recognizer = load_recognizer(args.config, args.checkpoint, args.device)
    with settings.applied():
        profile = profile_prediction(recognizer, expand_sources(args.sources)[: args.limit], args.workers)
    command = shlex.join(["python", "tools/benchmark/prediction.py", *(sys.argv[1:] if argv is None else argv)])
    environment = describe(settings, command)
    print("\n".join(f"{name}: {environment[name]}" for name in ("commit", "command", "device", "threads")))
    print(profile.to_text())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
