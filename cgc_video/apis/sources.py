"""What can be recognised: a video file, a folder of frames, an image, or an array; and its way through a test pipeline."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import Compose

from cgc_video.datasets.decoding.array_video import ArrayVideo
from cgc_video.datasets.decoding.excerpt import Excerpt
from cgc_video.datasets.decoding.folder_video import FolderVideo
from cgc_video.datasets.decoding.video import VideoFile, open_video
from cgc_video.datasets.images.folders import IMAGE_SUFFIXES
from cgc_video.errors import UserError

__all__ = ["Source", "SourcePipeline", "expand_sources", "open_source", "output_names"]

Source = str | Path | np.ndarray

# Steps that open or decode a file, ours and MMAction2's; a source that is open already takes the place of the first kind.
_OPEN = {"VideoOpen", "FrameOpen", "DecordInit", "PyAVInit", "OpenCVInit"}
_DECODE = {"VideoDecode", "FrameDecode", "DecordDecode", "PyAVDecode", "OpenCVDecode", "RawFrameDecode"}
_LOAD_IMAGE = {"LoadImage", "LoadImageFromFile"}
_VIDEO_SUFFIXES = {
    ".mp4",
    ".avi",
    ".mkv",
    ".mov",
    ".webm",
    ".mpg",
    ".mpeg",
    ".ts",
    ".m4v",
    ".wmv",
    ".flv",
    ".3gp",
    ".gif",
}


def open_source(source: Source) -> VideoFile:
    """Open a video file, a folder of frames, or frames ``(T, H, W, 3)``.

    Raises:
        UserError: If it is missing, cannot be decoded, or has another shape.
    """
    if isinstance(source, np.ndarray):
        return ArrayVideo(source)
    if Path(source).is_dir():
        return FolderVideo(source)
    if not Path(source).exists():
        raise UserError(f"The video {source} does not exist; give the path of a video file or of a folder of frames.")
    return open_video(source)


def expand_sources(paths: Sequence[str], images: bool = False) -> list[str]:
    """Put the videos of a folder, in the order of their names, in its place; a folder without any is one of frames.

    Args:
        images: Put its images in its place instead.
    """
    suffixes = IMAGE_SUFFIXES if images else _VIDEO_SUFFIXES
    found: list[str] = []
    for path in paths:
        inside: list[str] = []
        if Path(path).is_dir():
            inside = sorted(str(p) for p in Path(path).rglob("*") if p.suffix.lower() in suffixes and p.is_file())
        found += inside or [path]
    return found


def output_names(sources: Sequence[str]) -> list[str]:
    """A name for what is written about each source: its stem, with the folders above it where several have the same, each name once."""
    paths = [Path(os.path.normpath(source)).with_suffix("") for source in sources]
    names = [path.name for path in paths]
    for depth in range(2, max((len(path.parts) for path in paths), default=0) + 1):
        twice = {name for name, count in Counter(names).items() if count > 1}
        names = [
            "_".join(part for part in path.parts[-depth:] if part not in ("/", "..")) if name in twice else name
            for path, name in zip(paths, names, strict=True)
        ]
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):  # the same file twice, or two suffixes
        seen[name] += 1
        names[place] = name if seen[name] == 1 else f"{name}_{seen[name]}"
    return names


class SourcePipeline:
    """A config's test pipeline for any source: whatever the data set's files are, it samples and cuts the source's frames the same way.

    Args:
        steps: The pipeline of a data set, as configs hold it.
    """

    def __init__(self, steps: Sequence[dict]) -> None:
        self.takes_images = any(step["type"] == "PackImage" for step in steps)
        self._with_size = any(
            step["type"] in _OPEN and (step.get("with_size") or step["type"] == "FrameOpen") for step in steps
        )
        self._load = Compose([step for step in steps if step["type"] in _LOAD_IMAGE] or [{"type": "LoadImage"}])
        opened = [step for step in steps if step["type"] not in _OPEN | _LOAD_IMAGE]
        self._steps = Compose([_decode_of(step) if step["type"] in _DECODE else step for step in opened])

    def __call__(self, source: Source) -> dict[str, Any]:
        """The packed sample of a source, as the model's preprocessor takes it.

        Raises:
            UserError: If the source is missing, or cannot be decoded.
        """
        if self.takes_images:
            return self._steps(self._image(source))
        with open_source(source) as video:
            return self.of_video(video)

    def of_video(self, video: VideoFile, start: int = 0, stop: int | None = None) -> dict[str, Any]:
        """The packed sample of frames ``start`` to ``stop`` of an open video."""
        excerpt = Excerpt(video, start, video.num_frames if stop is None else stop)
        results = {
            "filename": video.path,
            "video_reader": excerpt,
            "total_frames": excerpt.num_frames,
            "avg_fps": excerpt.fps,
            "label": -1,
            "start_index": 0,
            "modality": "RGB",
        }
        if self._with_size:
            results["img_shape"] = video.size
        return self._steps(results)

    def _image(self, source: Source) -> dict[str, Any]:
        if not isinstance(source, np.ndarray):
            if Path(source).is_dir():
                raise UserError(f"{source} is a folder without images; give images, or a folder of them.")
            if not Path(source).exists():
                raise UserError(f"{source} does not exist; give the path of an image.")
            return self._load({"img_path": str(source), "label": -1})
        if source.ndim != 3 or source.shape[2] != 3 or source.dtype != np.uint8:
            raise UserError(f"array ({source.dtype}, {source.shape}) must be an image (H, W, 3) in uint8, RGB.")
        shape = source.shape[:2]
        return {"img": source, "img_path": "array", "label": -1, "img_shape": shape, "ori_shape": shape}


def _decode_of(step: dict) -> dict:
    return {"type": "VideoDecode", **({"unique": True} if step.get("unique") else {})}
