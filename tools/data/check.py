"""Decode every clip of a data set beforehand, and name each one that training would stumble over."""

import argparse
import importlib.util
import os
import sys
from pathlib import Path

if importlib.util.find_spec("cgc_video") is None:  # run from a clone without installation
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cgc_video  # noqa: F401  registers all types
from cgc_video.datasets.lists import read_list
from cgc_video.datasets.preparation.checking import CheckResult, check_clips
from cgc_video.datasets.preparation.checklist import CheckList, open_list
from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.engine.cli import run_tool
from cgc_video.engine.config import load_config
from cgc_video.engine.data_config import split_datasets
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/data/check.py configs/tsm_r50_cgc_k400.py --split train --write-clean data/kinetics400/train_clean.txt
prints each bad clip as it is found, then the count:
  data/kinetics400/train_list.txt: 240258 clips in data/kinetics400
    bad: train/---QUuC4vJs_000084_000094.mp4: empty (0 bytes)
    bad: train/-0SYpuXCKTQ_000014_000024.mp4: damaged after frame 31
  2 of 240258 clips are bad
  Wrote data/kinetics400/train_clean.txt with 240256 clips.

Every frame is decoded, by one process per worker; a clip that crashes or stops its decoder is bad, and the check goes on.
Exit code: 0 if every clip is good, 1 if some are bad, 2 if the check could not be made, 130 if it was interrupted.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", metavar="CONFIG|LIST", help="a config (.py), or a list of 'path label' lines")
    splits = ("train", "val", "test")
    parser.add_argument("--split", nargs="+", choices=splits, default=splits, help="of a config (default: all)")
    parser.add_argument("--media", help="of a list: the folder that its paths are relative to (default: looked for)")
    parser.add_argument(
        "--kind", choices=["video", "rawframes"], help="of a list: what its lines are (default: guessed)"
    )
    parser.add_argument("--write-clean", metavar="FILE", help="write the list without the bad clips (one list only)")
    workers = os.cpu_count() or 1
    parser.add_argument("--workers", type=int, default=workers, help="processes (default: one per core)")
    parser.add_argument("--time-limit", type=float, default=60, help="seconds per clip (default: 60)")
    parser.add_argument("--first-frame-only", action="store_true", help="a quick look: decode the first frame of each")
    return parser


def lists_of_config(path: str, splits: tuple[str, ...]) -> list[CheckList]:
    """The lists behind the loaders of a config, each once."""
    found: dict[tuple[str, str], CheckList] = {}
    cfg = load_config(path)
    for split in splits:
        for way, dataset in split_datasets(cfg, split):
            if dataset.kind is None or dataset.ann_path is None:
                raise UserError(
                    f"{way} has no list of videos or frame folders that could be checked; leave --split {split} away."
                )
            key = (os.path.normpath(dataset.ann_path), os.path.normpath(dataset.media_dir))
            if key not in found:
                entries = read_list(dataset.ann_path, dataset.kind)
                found[key] = CheckList(dataset.ann_path, dataset.media_dir, dataset.kind, entries)
    return list(found.values())


def check(lists: list[CheckList], args: argparse.Namespace) -> set[str]:
    """Check the lists one after the other, print what is bad, and return the paths."""
    bad: set[str] = set()
    for checked in lists:
        clips = list(dict.fromkeys(checked.clips))
        print(f"{checked.path}: {len(clips)} clips in {checked.media or '.'}", flush=True)
        with ProgressLine("Checked clip", every=1000) as progress:

            def tell(result: CheckResult, checked: CheckList = checked, progress: ProgressLine = progress) -> None:
                progress.close()
                print(f"  bad: {os.path.relpath(result.path, checked.media or '.')}: {result.reason}", flush=True)

            results = check_clips(clips, args.workers, args.time_limit, args.first_frame_only, progress, tell)
        found = {result.path for result in results if result.reason}
        print(f"{len(found)} of {len(clips)} clips are bad", flush=True)
        bad |= found
    return bad


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.workers < 1 or args.time_limit <= 0:
        raise UserError(f"--workers ({args.workers}) and --time-limit ({args.time_limit:g}) must be above 0.")
    if args.target.endswith((".py", ".json", ".yaml", ".yml")):
        lists = lists_of_config(args.target, tuple(args.split))
    else:
        lists = [open_list(args.target, args.media, args.kind)]
    if args.write_clean and len(lists) != 1:
        names = ", ".join(checked.path for checked in lists)
        raise UserError(
            f"--write-clean writes one list, and {args.target} has {len(lists)} ({names}); choose one by --split."
        )
    bad = check(lists, args)
    if args.write_clean:
        left = lists[0].write_without(bad, args.write_clean)
        print(f"Wrote {args.write_clean} with {left} clips.")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
