"""Re-encode a folder of videos for fast training: short side 256, a key frame every 8 frames, no B-frames."""

import argparse
import importlib.util
import os
import runpy
import shutil
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

from cgc_video.datasets.lists import CLASS_FILE
from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.datasets.preparation.reencode import Encoding, find_videos, reencode_all, target_path
from cgc_video.datasets.preparation.reencode_lists import check_lists, rewrite_list
from cgc_video.datasets.preparation.words import counted, printable, some
from cgc_video.engine.cli import run_tool
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/data/reencode.py data/mini_sth/videos data/mini_sth_fast/videos --lists data/mini_sth/*_list.txt
prints:
  1024 videos: 1024 written, 0 there already, 0 failed; 13.4 MB became 5.4 MB (0.40)
  Wrote data/mini_sth_fast/videos/train_list.txt, data/mini_sth_fast/videos/val_list.txt
The originals stay as they are. A run that was cut off goes on where it stopped. Each new file is decoded once to check it, and
holds how it was made: where the settings or the source have changed since, it is made again.
Exit code: 0, 1 where a video failed or a list has clips that were not re-encoded (each is named), 2 where nothing could be
done, 130 if it was interrupted.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Encoding()
    parser.add_argument("source", type=Path, help="folder of the videos, at any depth")
    parser.add_argument("target", type=Path, help="folder of the new files, under the same names ending in .mp4")
    parser.add_argument("--short-side", type=int, default=default.short_side, help="pixels (default: %(default)s)")
    parser.add_argument("--gop", type=int, default=default.gop, help="frames between key frames (default: %(default)s)")
    parser.add_argument("--crf", type=int, default=default.crf, help="quality, lower is better (default: %(default)s)")
    parser.add_argument("--lists", type=Path, nargs="+", default=[], help="lists to write anew with the new names")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.add_argument("--time-limit", type=float, default=600, help="seconds per video (default: 600)")
    return parser


def run(args: argparse.Namespace, names: list[str], encoding: Encoding) -> tuple[set[str], bool]:
    """Re-encode, and print what came of it; return the names whose new files are there, and whether any failed."""
    states, before, after, failed = Counter(), 0, 0, []
    done: set[str] = set()
    with ProgressLine("Re-encoded video", every=1000) as progress:
        for outcome in reencode_all(args.source, args.target, names, encoding, args.jobs, args.time_limit):
            if outcome.state == "foreign":
                raise UserError(
                    f"{args.target / target_path(outcome.name)} does not say how it was made (another program wrote it, or an "
                    "earlier version of this one); remove it, or name another target."
                )
            states[outcome.state] += 1
            before, after = before + outcome.before, after + outcome.after
            failed += [outcome] if outcome.reason else []
            done |= set() if outcome.reason else {outcome.name}
            progress(states.total(), len(names))
    for outcome in failed:
        print(printable(f"failed: {outcome.name} ({outcome.reason})"))
    if not done:
        raise UserError(f"None of the {counted(len(names), 'video')} below {args.source} could be re-encoded.")
    again = f" ({states['again']} again: settings or source changed)" if states["again"] else ""
    print(
        f"{counted(len(names), 'video')}: {states['written'] + states['again']} written{again}, {states['there']} there already, "
        f"{states['failed']} failed; {before / 1e6:.1f} MB became {after / 1e6:.1f} MB ({after / before:.2f})"
    )
    return done, bool(failed)


def write_lists(args: argparse.Namespace, done: set[str]) -> bool:
    """Write the lists anew, and print which; return whether all their clips are there."""
    written, complete = [], True
    for path in args.lists:
        new, left_out = rewrite_list(path, args.target, done)
        written += [new] if new else []
        if left_out:
            complete = False
            what = (
                f"{counted(len(left_out), 'clip')} left out, not re-encoded" if new else "not written, no clip is left"
            )
            print(printable(f"{path}: {what}: {some(left_out)}"))
    if written:
        if (classes := args.lists[0].with_name(CLASS_FILE)).is_file():
            written.append(Path(shutil.copy(classes, args.target)))
        print(f"Wrote {', '.join(map(str, written))}")
    return complete


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.jobs < 1 or args.time_limit <= 0:
        raise UserError(f"--jobs ({args.jobs}) and --time-limit ({args.time_limit:g}) must be above 0.")
    encoding = Encoding(args.short_side, args.gop, args.crf)
    names = find_videos(args.source, args.target)
    check_lists(args.lists, args.source, args.target, names)
    try:
        done, failed = run(args, names, encoding)
    except KeyboardInterrupt:
        print("error: interrupted; run the same command again to go on where it stopped.", file=sys.stderr)
        return 130
    complete = write_lists(args, done)
    return 1 if failed or not complete else 0


if __name__ == "__main__":
    raise SystemExit(main())
