"""Print parameters and multiply-adds of every model of the paper's Tables 1, 3, 4 and 5 that is built here, beside the paper's."""

import argparse
import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("cgc_video") is None:  # run from a clone without installation
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cgc_video  # noqa: F401  registers all types
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/analysis/paper_tables.py --tables 3a
prints the counting rules, and per table:
  model             config                 parameters (M)  paper (M)  ...  delta by the paper's rule (M)  paper (M)  differs
  ResNet-110 + CGC  resnet110_cgc_cifar10        1.797681       1.80  ...                          1.681      1.681
docs/paper_tables.md is made by:
  python tools/analysis/paper_tables.py --markdown --output docs/paper_tables.md
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tables = ("1", "3a", "3b", "4", "5")
    parser.add_argument("--tables", nargs="+", choices=tables, default=tables, help="some of the tables (default: all)")
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--csv", dest="style", action="store_const", const="csv", help="a row per model")
    style.add_argument("--markdown", dest="style", action="store_const", const="markdown", help="Markdown tables")
    parser.add_argument("--output", help="file to write to, in place of the standard output")
    parser.set_defaults(style="text")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.output is not None:  # find out now that it cannot be written
        Path(args.output).parent.mkdir(parents=True, exist_ok=True)
    from cgc_video.analysis.paper_tables import count_tables
    from cgc_video.analysis.paper_tables_page import render_page

    text = render_page(count_tables(args.tables), args.style)
    if args.output is None:
        print(text, end="")
    else:
        Path(args.output).write_text(text, encoding="utf-8")
        print(f"Wrote {args.output}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
