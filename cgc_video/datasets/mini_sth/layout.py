"""The layout of the mini data set: its arguments, its clips, and the annotation files beside them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..lists import write_classes, write_list
from .classes import CLASSES

__all__ = [
    "FORMATS",
    "METADATA",
    "RENDERER",
    "Clip",
    "MiniArguments",
    "existing_arguments",
    "list_clips",
    "missing_files",
    "write_annotations",
]

METADATA = "mini.json"
FORMATS = ("videos", "rawframes")
RENDERER = 1  # raise it when the same arguments give other frames
FRAME_FOLDER = "20bn-something-something-v1"
CSV_PREFIX = "something-something-v1"
_FIRST_ID = {"train": 1, "val": 100_001, "test": 200_001}
_MAX_CLIPS = 99_999


@dataclass(frozen=True)
class MiniArguments:
    """What the content of a mini data set depends on.

    Attributes:
        train, val: Number of clips.
        size: Frame height in pixels.
        frames: Mean frame count of a clip, see ``draw_scene``.
        format: ``"videos"`` or ``"rawframes"``.
        renderer: Version of the renderer.
    """

    train: int = 768
    val: int = 256
    size: int = 64
    frames: int = 24
    seed: int = 0
    format: str = "videos"
    renderer: int = RENDERER

    def check(self) -> None:
        """Raise a ``UserError`` if a value is out of range."""
        for name, low, high in (("train", 1, _MAX_CLIPS), ("val", 1, _MAX_CLIPS), ("size", 16, 1024),
                                ("frames", 3, 1000), ("seed", 0, 2**63 - 1)):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"{name} ({value}) must be from {low} to {high}.")
        if self.size % 2:
            raise UserError(f"size ({self.size}) must be even, as H.264 needs it; take {self.size + 1}.")
        if self.format not in FORMATS:
            raise UserError(f"format ({self.format}) must be one of {list(FORMATS)}.")


@dataclass(frozen=True)
class Clip:
    """One clip: its place in its split, and where it is written below the data set's folder."""

    split: str
    index: int
    label: int
    name: str
    path: Path


def list_clips(arguments: MiniArguments) -> list[Clip]:
    """List every clip of a data set; labels take turns, so classes are balanced. Raw frames also have a test split."""
    counts = {"train": arguments.train, "val": arguments.val}
    if arguments.format == "rawframes":
        counts["test"] = max(1, arguments.val // 4)
    clips = []
    for split, count in counts.items():
        for index in range(count):
            name = f"{_FIRST_ID[split] + index:06d}" if arguments.format == "videos" else str(_FIRST_ID[split] + index)
            path = Path("videos", f"{name}.mp4") if arguments.format == "videos" else Path(FRAME_FOLDER, name)
            clips.append(Clip(split, index, index % len(CLASSES), name, path))
    return clips


def write_annotations(root: Path, arguments: MiniArguments, clips: list[Clip], versions: Mapping[str, str]) -> None:
    """Write lists and class names (videos) or the four CSV files as shipped (raw frames), and the metadata."""
    splits = {split: [clip for clip in clips if clip.split == split] for split in _FIRST_ID}
    if arguments.format == "videos":
        for split in ("train", "val"):
            entries = ({"filename": clip.path.name, "label": clip.label} for clip in splits[split])
            write_list(root / f"{split}_list.txt", entries, "video")
        write_classes(root / "classes.txt", CLASSES)
    else:
        for split, name in (("train", "train"), ("val", "validation")):
            lines = [f"{clip.name};{CLASSES[clip.label]}\n" for clip in splits[split]]
            (root / f"{CSV_PREFIX}-{name}.csv").write_text("".join(lines), encoding="utf-8")
        (root / f"{CSV_PREFIX}-test.csv").write_text("".join(f"{clip.name}\n" for clip in splits["test"]))
        write_classes(root / f"{CSV_PREFIX}-labels.csv", CLASSES)
    metadata = {
        "about": "Mini data set rendered by tools/data/make_mini.py of cgc_video.",
        "arguments": asdict(arguments),
        "versions": dict(versions),
    }
    (root / METADATA).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")


def existing_arguments(root: Path) -> dict[str, Any] | None:
    """Return the arguments that the data set in ``root`` was made with, or None where there is none."""
    try:
        arguments = json.loads((root / METADATA).read_text(encoding="utf-8"))["arguments"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return arguments if isinstance(arguments, dict) else None


def missing_files(root: Path, arguments: MiniArguments) -> list[str]:
    """List what a data set with these arguments should hold and does not, relative to ``root``."""
    if arguments.format == "videos":
        annotations = ["train_list.txt", "val_list.txt", "classes.txt"]
    else:
        annotations = [f"{CSV_PREFIX}-{name}.csv" for name in ("train", "validation", "test", "labels")]
    paths = [*annotations, *(str(clip.path) for clip in list_clips(arguments))]
    return [path for path in paths if not (root / path).exists()]
