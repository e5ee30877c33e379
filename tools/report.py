"""One self-contained HTML page of a finished run: settings, curves, classes, confusion, and its most confident mistakes with Grad-CAM."""

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
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/report.py work_dirs/quickstart --layer backbone.layer1
prints:
  work_dirs/quickstart/report.html
The page needs no network. The validation data of the run is scored once for the mistakes; without it the page says so.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work_dir", type=Path, help="work dir of a training")
    parser.add_argument("--output", type=Path, help="file to write (default: report.html in the work dir)")
    parser.add_argument("--mistakes", type=int, default=12, help="how many to show (default: 12)")
    parser.add_argument("--layer", help="where Grad-CAM looks (default: the last stage)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.mistakes < 1:
        raise UserError(f"--mistakes ({args.mistakes}) must be at least 1.")
    if not args.work_dir.is_dir():
        raise UserError(f"work_dir ({args.work_dir}) is no folder; give the work dir of a training.")
    from cgc_video.analysis.run_report.report import run_page

    output = args.output or args.work_dir / "report.html"
    check_writable(str(output), "--output")
    page = run_page(args.work_dir, args.mistakes, args.layer, args.device)
    output.write_text(page, encoding="utf-8")
    print(output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
