"""A local page to drop a clip on: it names what the clip shows, and shows where the network looked."""

import argparse
import importlib.util
import runpy
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import cgc_video  # noqa: F401  registers all types
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/demo.py configs/tsm_r18_cgc_mini.py work_dirs/quickstart/epoch_5.pth
prints, and serves until Ctrl-C:
  http://127.0.0.1:7860/
Needs the extra demo: pip install -e '.[demo]'.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config of the model; its test pipeline samples the clips")
    parser.add_argument("checkpoint", help="checkpoint (.pth) of that model")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to bind to; 0.0.0.0 lets other machines in (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, help="default: the first free one from 7860")
    parser.add_argument("--max-megabytes", type=float, default=100.0, help="largest file (default: %(default)g)")
    parser.add_argument("--max-seconds", type=float, default=60.0, help="longest clip (default: %(default)g)")
    parser.add_argument("--layer", help="layer of Grad-CAM (default: the last stage of the backbone)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    return parser


def wait_for_interrupt() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:  # the way to end it
        print()


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    from cgc_video.apis import load_recognizer
    from cgc_video.apis.demo import Limits, serve

    limits = Limits(args.max_megabytes, args.max_seconds)
    recognizer = load_recognizer(args.config, args.checkpoint, args.device)
    serve(
        recognizer,
        limits,
        args.layer,
        args.host,
        args.port,
        ready=lambda url: print(url, flush=True),
        wait=wait_for_interrupt,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
