"""Time the data path against MMAction2's stock pipelines: same files, same samples, one process, one decoding thread."""

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
from cgc_video.benchmark.data_report import CASES, run
from cgc_video.benchmark.environment import describe
from cgc_video.benchmark.settings import Settings
from cgc_video.datasets.preparation.scan import VIDEO_SUFFIXES, scan_files
from cgc_video.engine.cli import run_tool
from cgc_video.engine.names import suggestion
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/benchmark/data.py --clips my_clips
prints a line per case and file, with the stages that cost most, and ends with a table; work_dirs/benchmark then holds
data.csv and data.md:
  case          file                                 stock ms  ours ms  speed-up  difference  stock MiB  ours MiB  ratio
  train-video   generated_340x256.mp4                     ...      ...       ...       0.000          -         -      -
  train-frames  3_generated_340x256_100                   ...      ...       ...       0.000          -         -      -
  train-frames  geometric mean, short side 100                               ...
Stock over ours: more is better. Without --clips, generated files alone are read (made at the first run).
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, help="folder of videos to read besides the generated ones")
    parser.add_argument("--cases", nargs="+", default=list(CASES), metavar="CASE", help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=10, help="measured rounds (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=300, help="length of the generated clips (default: %(default)s)")
    parser.add_argument("--no-memory", action="store_true", help="do not measure the peak memory of test samples")
    parser.add_argument("--output", type=Path, default=Path("work_dirs/benchmark"), help="default: %(default)s")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    for name in args.cases:
        if name not in CASES:
            raise UserError(f"--cases ({name}) must be among {', '.join(CASES)}{suggestion(name, CASES)}.")
    for name in ("repeats", "frames"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name} ({getattr(args, name)}) must be at least 1.")
    clips = []
    if args.clips is not None:
        if not args.clips.is_dir():
            raise UserError(f"--clips ({args.clips}) is not a folder; name a folder of videos, or leave it out.")
        clips = sorted(args.clips / found.path for found in scan_files(args.clips, VIDEO_SUFFIXES, with_size=False))
    command = shlex.join(["python", "tools/benchmark/data.py", *(sys.argv[1:] if argv is None else argv)])
    environment = describe(Settings(repeats=args.repeats), command)
    run(
        clips,
        args.cases,
        args.repeats,
        args.frames,
        not args.no_memory,
        environment,
        args.output,
        lambda line: print(line, flush=True),
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
