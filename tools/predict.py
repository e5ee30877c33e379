"""Name what videos show, with a trained model."""

import argparse
import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("cgc_video") is None:  # run from a clone without installation
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cgc_video  # noqa: F401  registers all types
from cgc_video.engine.cli import run_tool
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/predict.py configs/tsm_r18_cgc_mini.py work_dirs/quickstart/epoch_5.pth data/mini_sth/videos/100001.mp4
prints the most probable classes:
  data/mini_sth/videos/100001.mp4
     99.1 %  Moving something left to right
      0.4 %  Moving something right to left
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config of the model; its test pipeline samples the videos")
    parser.add_argument("checkpoint", help="checkpoint (.pth) of that model")
    parser.add_argument("videos", nargs="+", metavar="video", help="video files")
    parser.add_argument("--top-k", type=int, default=5, help="classes to print (default: 5)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    from cgc_video.apis import load_recognizer, predict

    if args.top_k < 1:
        raise UserError(f"--top-k ({args.top_k}) must be at least 1.")
    recognizer = load_recognizer(args.config, args.checkpoint, args.device)
    failures = 0
    for video in args.videos:
        try:
            predictions = predict(recognizer, video, args.top_k)
        except UserError as error:  # the other videos go on
            failures += 1
            print(f"error: {error}", file=sys.stderr)
            continue
        print(video)
        for prediction in predictions:
            print(f"  {prediction.probability:6.1%}  {prediction.name}")
    return 2 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
