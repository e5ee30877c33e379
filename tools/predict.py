"""Name what videos show, with a trained model; over time, if asked, and on a copy of the video."""

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
  python tools/predict.py configs/tsm_r18_cgc_mini.py work_dirs/quickstart/epoch_5.pth data/mini_sth/videos/100001.mp4
prints the most probable classes:
  data/mini_sth/videos/100001.mp4
   99.7%  Moving something left to right
    0.2%  Moving something away from the camera
A folder of videos (of images, for a classifier) stands for all of them; one of frames is a video. Sources that cannot be read are named, the others go on, and the exit
code is 2.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config of the model; its test pipeline samples the videos")
    parser.add_argument("checkpoint", help="checkpoint (.pth) of that model")
    parser.add_argument("sources", nargs="+", metavar="input", help="video files, folders, or images for a classifier")
    parser.add_argument("--top-k", type=int, default=5, help="classes to print (default: 5)")
    parser.add_argument("--window", type=float, help="score stretches of so many seconds, one after the other")
    parser.add_argument("--stride", type=float, help="seconds from one stretch to the next (default: half a window)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the predictions as JSON")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the predictions as CSV")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="write copies of the videos with labels on them (MP4)")
    parser.add_argument("--batch-size", type=int, default=4, help="videos per call of the network (default: 4)")
    parser.add_argument("--workers", type=int, default=2, help="threads that decode ahead (default: 2)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    return parser


def check(args: argparse.Namespace) -> None:
    for name in ("top_k", "batch_size", "workers"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name.replace('_', '-')} ({getattr(args, name)}) must be at least 1.")
    for name in ("window", "stride"):
        if getattr(args, name) is not None and getattr(args, name) <= 0:
            raise UserError(f"--{name} ({getattr(args, name)}) must be more than 0 seconds.")
    if args.stride is not None and args.window is None:
        raise UserError(f"--stride ({args.stride}) is the step of a window; give --window, too.")
    for option, file in (("--json", args.json), ("--csv", args.csv)):
        if file is not None:
            check_writable(str(file), option)
    if args.draw is not None:
        check_writable(str(args.draw / "x"), "--draw")


def predicted(args: argparse.Namespace, recognizer):
    """Yield each source with its moments, or with a ``UserError``."""
    from cgc_video.apis import Moment, predict_many, predict_over_time

    sources = args.sources
    if args.window is None:
        for source, found in predict_many(recognizer, sources, args.top_k, args.batch_size, args.workers):
            yield source, found if isinstance(found, UserError) else [Moment(0, 0, 0.0, found)]
        return
    for source in sources:
        try:
            yield source, list(predict_over_time(recognizer, source, args.window, args.stride, args.top_k))
        except UserError as error:
            yield source, error


def show(source: str, moments: list) -> None:
    print(source)
    for moment in moments:
        if moment.stop:
            unit = moment.fps or 1
            print(f"  {moment.start / unit:.1f} to {moment.stop / unit:.1f}{' s' if moment.fps else ' frames'}")
        for prediction in moment.predictions:
            print(f"  {prediction.probability:6.1%}  {prediction.name}", flush=True)


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    check(args)
    from cgc_video.apis import load_recognizer
    from cgc_video.apis.labelled_video import write_labelled_video
    from cgc_video.apis.prediction_files import write_csv, write_json
    from cgc_video.apis.sources import expand_sources, output_names

    recognizer = load_recognizer(args.config, args.checkpoint, args.device)
    args.sources = expand_sources(args.sources, recognizer.pipeline.takes_images)
    results: dict[str, list | str] = {}
    for name, (source, moments) in zip(output_names(args.sources), predicted(args, recognizer), strict=True):
        if isinstance(moments, UserError):  # the other videos go on
            print(f"error: {moments}", file=sys.stderr)
            results[source] = str(moments)
            continue
        show(source, moments)
        results[source] = moments
        if args.draw is not None:
            copy = args.draw / f"{name}_labelled.mp4"
            write_labelled_video(copy, source, moments)
            print(f"  {copy}")
    if args.json is not None:
        write_json(args.json, results)
    if args.csv is not None:
        write_csv(args.csv, results)
    return 2 if any(isinstance(found, str) for found in results.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
