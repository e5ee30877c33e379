"""Translate lines of text with a trained model."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import cgc_video  # noqa: F401  registers all types
from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/train.py configs/lightconv_cgc_copy_mini.py
  echo "a b c d e mode0" | python tools/translate.py work_dirs/lightconv_cgc_copy_mini/epoch_4.pth
prints a translation per line:
  e t g c n

A sentence of the copy task is 5 to 12 letters from a to t, then mode0 or mode1.

The dictionaries and BPE codes are those that the checkpoint names; run from the folder of the training, or say with
--data where they are. Text is tokenised and lower-cased as the training data was. What cannot be translated as it
stands is said on stderr.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", help="checkpoint (.pth) of a translation model")
    parser.add_argument(
        "file", nargs="?", default="-", help="UTF-8 text, one sentence per line (default: -, the standard input)"
    )
    parser.add_argument("--data", metavar="FOLDER", help="folder of the dictionaries and BPE codes")
    parser.add_argument(
        "--beam", type=int, help="hypotheses that the search keeps (default: the config's; 1 is greedy)"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    from cgc_video.translation.text_files import decode_lines, read_lines
    from cgc_video.translation.translate import load_translator

    if args.file == "-":
        lines = list(decode_lines(sys.stdin.buffer.read(), "the standard input"))
    else:
        lines = read_lines(args.file)
    beam = None if args.beam is None else {"size": args.beam}
    translator = load_translator(args.checkpoint, args.device, args.data, beam)
    with ProgressLine("Translated line", every=1000) as progress:
        translations = translator(lines, lambda note: print(f"note: {note}", file=sys.stderr), progress=progress)
    for translation in translations:
        print(translation)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
