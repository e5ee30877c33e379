"""Decode every clip or image of a data set beforehand, and name each one that training would stumble over."""

import argparse
import importlib.util
import os
import runpy
import sys
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

from mmengine.config import Config

import cgc_video  # noqa: F401  registers all types
from cgc_video.datasets.images.checking import check_images
from cgc_video.datasets.lists import read_list
from cgc_video.datasets.preparation.checking import CheckResult, check_clips
from cgc_video.datasets.preparation.checklist import CheckList, open_list, shared_clips
from cgc_video.datasets.preparation.output import require_file
from cgc_video.datasets.preparation.progress import ProgressLine
from cgc_video.datasets.preparation.words import counted, printable, some
from cgc_video.engine.cli import run_tool
from cgc_video.engine.config import load_config
from cgc_video.engine.data_config import DatasetConfig, open_images, split_datasets
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/data/check.py data/mini_sth/val_list.txt --write-clean data/mini_sth/val_clean.txt
prints each bad clip as it is found (here, two have been broken), then the count:
  data/mini_sth/val_list.txt: 256 clips in data/mini_sth/videos
    bad: 100007.mp4: empty (0 bytes)
    bad: 100031.mp4: damaged after frame 12
  2 of 256 clips are bad
  Wrote data/mini_sth/val_clean.txt with 254 clips.

Every frame is decoded, by one process per worker; a clip that crashes or stops its decoder is bad, and the check goes on. A clip
that a list has with several labels is bad, too; clips that are listed twice, or in two lists of a config, are told.
Exit code: 0 if every clip is good, 1 if some are bad or in two lists, 2 if the check could not be made, 130 if it was interrupted.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", metavar="CONFIG|LIST", help="a config (.py), or a list of 'path label' lines")
    splits = ("train", "val", "test")
    parser.add_argument("--split", nargs="+", choices=splits, help="of a config (default: all)")
    parser.add_argument("--media", help="of a list: the folder that its paths are relative to (default: looked for)")
    parser.add_argument(
        "--kind",
        choices=["video", "rawframes", "images"],
        help="of a list: what its lines are (default: a guess of the first two)",
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
            if dataset.kind is None or (dataset.ann_path is None and dataset.kind != "images"):
                raise UserError(
                    f"{way} ({dataset.cfg.get('type')}) has no list of videos, frame folders or images that could be checked; give another "
                    "config, or other splits by --split."
                )
            key = (os.path.normpath(dataset.ann_path or ""), os.path.normpath(dataset.media_dir))
            if key not in found:
                found[key] = open_of_config(cfg, dataset)
    return list(found.values())


def open_of_config(cfg: Config, dataset: DatasetConfig) -> CheckList:
    """The list of a data set; images find theirs by themselves."""
    path, media = dataset.ann_path or dataset.media_dir, dataset.media_dir
    if dataset.kind != "images":
        return CheckList(path, media, dataset.kind, read_list(path, dataset.kind))
    images = open_images(cfg, dataset).load_data_list()
    if "img_path" not in images[0]:
        raise UserError(f"{media} holds no image files; {dataset.cfg.type} checks its archive at every start.")
    entries = [{"filename": os.path.relpath(each["img_path"], media or "."), "label": each["label"]} for each in images]
    return CheckList(path, media, "images", entries)


def check_entries(checked: CheckList, unit: str) -> set[str]:
    """Print which clips a list has more than once, and return the paths of those with several labels."""
    several, alike = checked.repeated()
    for path, labels in several.items():
        print(printable(f"  bad: {checked.names[path]}: listed with the labels {' and '.join(map(str, labels))}"))
    if alike:
        print(printable(f"  note: {counted(len(alike), unit)} listed more than once: {some(alike)}"))
    return set(several)


def check_shared(lists: list[CheckList]) -> bool:
    """Print which clips are in two lists, and return whether any is."""
    found = False
    for one, other in combinations(lists, 2):
        if shared := shared_clips(one, other):
            found = True
            clips = "1 clip is" if len(shared) == 1 else f"{len(shared)} clips are"
            print(printable(f"shared: {clips} both in {one.path} and in {other.path}: {some(shared)}"), flush=True)
    return found


def check(lists: list[CheckList], args: argparse.Namespace) -> set[str]:
    """Check the lists one after the other, print what is bad, and return the paths."""
    bad: set[str] = set()
    for checked in lists:
        unit = "image" if checked.kind == "images" else "clip"
        clips, names = list(dict.fromkeys(checked.clips)), checked.names
        print(f"{checked.path}: {counted(len(clips), unit)} in {checked.media or '.'}", flush=True)
        found = check_entries(checked, unit)
        with ProgressLine(f"Checked {unit}", every=1000) as progress:

            def tell(result: CheckResult, names: dict = names, progress: ProgressLine = progress) -> None:
                progress.close()
                print(printable(f"  bad: {names[result.path]}: {result.reason}"), flush=True)

            if checked.kind == "images":
                results = check_images([path for path, _ in clips], args.workers, args.time_limit, progress, tell)
            else:
                results = check_clips(clips, args.workers, args.time_limit, args.first_frame_only, progress, tell)
        found |= {result.path for result in results if result.reason}
        print(f"{len(found)} of {counted(len(clips), unit)} are bad", flush=True)
        bad |= found
    return bad


def open_lists(args: argparse.Namespace) -> list[CheckList]:
    """The lists to check; options that would be ignored are refused."""
    if args.target.endswith((".py", ".json", ".yaml", ".yml")):
        if args.media or args.kind:
            given = "--media" if args.media else "--kind"
            raise UserError(
                f"{given} is of a list, and {args.target} is a config, which says it itself; leave it away."
            )
        return lists_of_config(args.target, tuple(args.split or ("train", "val", "test")))
    if args.split:
        raise UserError(
            f"--split ({' '.join(args.split)}) is of a config, and {args.target} is a list, which is checked whole; leave it away."
        )
    return [open_list(args.target, args.media, args.kind)]


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.workers < 1 or args.time_limit <= 0:
        raise UserError(f"--workers ({args.workers}) and --time-limit ({args.time_limit:g}) must be above 0.")
    if args.write_clean:
        require_file(Path(args.write_clean), "--write-clean")
    lists = open_lists(args)
    if args.write_clean and len(lists) != 1:
        names = ", ".join(checked.path for checked in lists)
        raise UserError(
            f"--write-clean writes one list, and {args.target} has {len(lists)} ({names}); choose one by --split."
        )
    try:
        shared = check_shared(lists)
        bad = check(lists, args)
    except KeyboardInterrupt:
        print("error: interrupted; the same command starts again with the first clip.", file=sys.stderr)
        return 130
    if args.write_clean:
        left = lists[0].write_without(bad, args.write_clean)
        print(f"Wrote {args.write_clean} with {counted(left, 'image' if lists[0].kind == 'images' else 'clip')}.")
    return 1 if bad or shared else 0


if __name__ == "__main__":
    raise SystemExit(main())
