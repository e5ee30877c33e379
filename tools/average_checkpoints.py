"""Average the weights of the last checkpoints of a training."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import cgc_video  # noqa: F401  registers all types
from cgc_video.engine.cli import run_tool
from cgc_video.engine.output import check_writable

EXAMPLE = """\
example:
  python tools/average_checkpoints.py work_dirs/quickstart --last 2
prints:
  Averaged 2 checkpoint(s), epoch_4.pth to epoch_5.pth: work_dirs/quickstart/averaged.pth
Test it as any checkpoint: python tools/test.py CONFIG work_dirs/quickstart/averaged.pth
The paper's translation averages the last 10.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work_dir", help="folder that holds epoch_<number>.pth")
    parser.add_argument("--last", type=int, default=10, help="checkpoints to average (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="file to write (default: averaged.pth in the work dir)")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    from cgc_video.translation.averaging import AVERAGED, average_checkpoints, epoch_checkpoints

    paths = epoch_checkpoints(args.work_dir, args.last)
    output = args.output or Path(args.work_dir) / AVERAGED
    check_writable(str(output), "--output")
    average_checkpoints(paths, output)
    print(f"Averaged {len(paths)} checkpoint(s), {paths[0].name} to {paths[-1].name}: {output}")
    if len(paths) < args.last:
        print(f"note: {args.work_dir} holds no more than these; {args.last} were asked for.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
