"""Print parameters and multiply-adds of every model of the paper's Tables 1, 3, 4 and 5 that is built here, beside the paper's."""

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
from cgc_video.engine.output import check_writable
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/analysis/paper_tables.py --tables 3a
prints the counting rules, and per table:
  model             config                 parameters (M)  paper (M)  ...  delta by the paper's rule (M)  paper (M)  differs
  ResNet-110 + CGC  resnet110_cgc_cifar10        1.797681       1.80  ...                          1.681      1.681
docs/paper_tables.md and the tables in the README are made by:
  python tools/analysis/paper_tables.py --markdown --output docs/paper_tables.md --embed README.md
"""
TABLES = ("1", "3a", "3b", "4", "5")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES, help="some of the tables (default: all)")
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--csv", dest="style", action="store_const", const="csv", help="a row per model")
    style.add_argument("--markdown", dest="style", action="store_const", const="markdown", help="Markdown tables")
    parser.add_argument("--output", help="file to write to, in place of the standard output")
    parser.add_argument(
        "--embed", metavar="FILE", help="a Markdown file whose marked place gets the tables, as the README's"
    )
    parser.set_defaults(style="text")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.output is not None:
        check_writable(args.output)
    if args.embed is not None and set(args.tables) != set(TABLES):
        raise UserError(f"--embed puts all tables into {args.embed}; leave --tables ({' '.join(args.tables)}) away.")
    from cgc_video.analysis.marked_place import read_document
    from cgc_video.analysis.paper_tables import count_tables
    from cgc_video.analysis.paper_tables_page import embed_tables, render_page

    document = None
    if args.embed is not None:
        check_writable(args.embed)
        document = read_document(args.embed)
        embed_tables(document, [], args.embed)  # find out now that it has no place for them
    results = count_tables(args.tables)
    text = render_page(results, args.style)
    if args.output is not None:
        Path(args.output).write_text(text, encoding="utf-8")
        print(f"Wrote {args.output}.")
    if document is not None:
        Path(args.embed).write_text(embed_tables(document, results, args.embed), encoding="utf-8")
        print(f"Put the tables into {args.embed}.")
    if args.output is None and document is None:
        print(text, end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
