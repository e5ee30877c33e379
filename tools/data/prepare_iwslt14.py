"""Make the training, validation and test text of IWSLT'14 German-English from the official archive."""

import argparse
import importlib.util
import os
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.engine.cli import run_tool
from cgc_video.errors import UserError
from cgc_video.translation.iwslt14 import MERGES, prepare_iwslt14

EXAMPLE = """\
example:
  python tools/data/prepare_iwslt14.py data/iwslt14
prints, besides progress, for the official archive about:
  pairs: 160,239 train, 7,283 valid, 6,750 test; left out: ...
  10,000 BPE codes; dictionaries of 8,848 (de) and 6,632 (en) tokens, the 4 specials counted
  Wrote train.de, train.en, valid.de, valid.en, test.de, test.en, dict.de.txt, dict.en.txt and code to data/iwslt14.

DATA_ROOT holds the archive as downloaded, de-en.tgz, or the folder de-en that it unpacks to. Nothing is downloaded.
Needs `pip install -e .[translation]`. The tokenizer is sacremoses, a port of Moses' Perl script: a few lines may
differ from it.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data_root",
        type=Path,
        nargs="?",
        default=Path("data/iwslt14"),
        help="folder of the archive (default: %(default)s)",
    )
    parser.add_argument("--output", type=Path, help="folder of the text files (default: DATA_ROOT)")
    parser.add_argument("--merges", type=int, default=MERGES, help="joint BPE codes to learn (default: %(default)s)")
    workers = os.cpu_count() or 1
    parser.add_argument("--workers", type=int, default=workers, help="processes that tokenise (default: one per core)")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    for name in ("workers", "merges"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name} ({getattr(args, name)}) must be at least 1.")
    line: list[ProgressLine] = []

    def progress(step: str) -> ProgressLine:
        for earlier in line:
            earlier.close()
        line[:] = [ProgressLine(step)]
        return line[0]

    prepared = prepare_iwslt14(args.data_root, args.merges, args.workers, progress)
    progress("").close()
    output = args.output or (args.data_root if args.data_root.is_dir() else args.data_root.parent)
    files = prepared.write(output)
    for text in prepared.lines():
        print(text)
    names = [path.name for path in files]
    print(f"Wrote {', '.join(names[:-1])} and {names[-1]} to {output}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
