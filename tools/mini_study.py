"""Train TSN, TSM and P3D-A, plain and gated, on the rendered data, and compare them in a table and a figure."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import cgc_video  # noqa: F401  registers all types
from cgc_video.analysis import mini_study
from cgc_video.engine.cli import run_tool
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/data/make_mini.py && python tools/mini_study.py --seeds 3 --jobs 2
prints a line per run and ends with the table that it also writes to work_dirs/mini_study/table.md:
  | model | top-1 (%) | runs | parameters | minutes per run |
  | TSN | 50.8 ± 1.2 | 3 | 11.18 M | 3.1 |
A study that was cut off goes on where it stopped.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work-dir", default="work_dirs/mini_study", help="folder of the runs and results")
    parser.add_argument("--seeds", type=int, default=3, help="runs per model, with seeds 0, 1, ... (default: 3)")
    parser.add_argument("--models", nargs="+", choices=list(mini_study.MODELS), default=list(mini_study.MODELS))
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time; they share the cores (default: 1)")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="settings for every run")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    for name in ("seeds", "jobs"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name} ({getattr(args, name)}) must be at least 1.")

    def report(line: str) -> None:
        print(line, flush=True)

    runs = mini_study.run_study(args.work_dir, range(args.seeds), args.models, args.cfg_options, args.jobs, report)
    summaries = mini_study.summarise(runs)
    folder = Path(args.work_dir)
    table = mini_study.to_markdown(summaries)
    (folder / "table.md").write_text(table)
    mini_study.write_csv(summaries, folder / "table.csv")
    mini_study.plot(runs, folder / "mini_study.png")
    print(f"\n{table}\nfiles:\n  {folder / 'table.md'}\n  {folder / 'table.csv'}\n  {folder / 'mini_study.png'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
