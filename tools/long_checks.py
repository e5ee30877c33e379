"""Run the long checks of docs/reliability.md: kills, several processes, broken files, hours of use, hostile input."""

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

CHECKS = ("resume", "processes", "faults", "soak", "fuzz")
EXAMPLE = """\
example, one of the shorter ones (10 min; all of them take more than an hour on 2 cores):
  python tools/long_checks.py faults
prints pytest's progress, then a table of what was found, which --embed puts into its place in a document:
  8 tests passed, 0 failed, 0 were skipped: `python tools/long_checks.py faults --jobs 2`, 3 min on 2026-11-28, 2 cores of an ...
  | check | found | seconds |
  | --- | --- | ---: |
  | training finishes and names each file once | 6 of 120 files broken, each named once | 64 |
The exit code is 1 if a test failed.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"some of {', '.join(CHECKS)} (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="processes that run tests (default: %(default)s)")
    parser.add_argument(
        "--embed", metavar="FILE", help="a Markdown file whose marked places get the tables, as docs/reliability.md"
    )
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    parser = build_parser()
    args = parser.parse_args(argv)
    for name in args.checks:
        if name not in CHECKS:
            parser.error(f"there is no check {name!r}; take some of {', '.join(CHECKS)}.")
    if args.jobs < 1:
        parser.error(f"--jobs ({args.jobs}) must be at least 1.")
    from cgc_video.analysis.marked_place import fill_place, read_document
    from cgc_video.benchmark.environment import commit
    from cgc_video.benchmark.long_checks import embed, render, run_check

    names = args.checks or CHECKS
    if args.embed is not None:
        check_writable(args.embed)
        for name in names:  # find out now that it has no place for them
            fill_place(read_document(args.embed), f"long check {name}", "", args.embed)
    of, ok = commit(), True
    for name in names:
        result = run_check(name, args.jobs, of)
        ok = ok and result.ok
        print(f"\n{render(result)}\n", flush=True)
        if args.embed is not None:
            Path(args.embed).write_text(embed(read_document(args.embed), [result], args.embed), encoding="utf-8")
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
