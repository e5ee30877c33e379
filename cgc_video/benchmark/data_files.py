"""The files that the data benchmark reads: clips as they come, generated ones, and what preparation makes of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from cgc_video.datasets.decoding.video import open_video
from cgc_video.datasets.preparation.reencode import Encoding, reencode

__all__ = ["FRAME_SIDES", "FrameFolder", "prepare_files"]

# Short sides of raw frames: as Something-Something v1 ships them, as they are usually extracted, and full size.
FRAME_SIDES = (100, 256, 720)

_GENERATED = {"generated_340x256.mp4": (256, 340), "generated_720p.mp4": (720, 1280)}
_FRAMES, _GOP = 300, 250
_EXTRACTED = 32  # the first ones of a video; a sample takes 8


class FrameFolder(NamedTuple):
    """``img_00001.jpg`` onwards, ``count`` of them with short side ``side``."""

    path: Path
    count: int
    side: int


def prepare_files(
    folder: Path, clips: Sequence[Path], frames: int = _FRAMES
) -> tuple[list[Path], list[Path], list[FrameFolder]]:
    """Make what is not there yet: generated clips, re-encoded ones, and frame folders.

    Args:
        folder: Where they are kept.
        clips: Files that are there already.
        frames: Length of the generated clips.
    Returns:
        The videos, the re-encoded ones, and the frame folders (JPEG quality 90): of each side all videos.
    """
    videos = list(clips)
    for name, size in _GENERATED.items():
        if not (path := folder / name).is_file():
            folder.mkdir(parents=True, exist_ok=True)
            _generate(path, size, frames)
        videos.append(path)
    fast, folders = [], []
    for number, video in enumerate(videos):
        target = folder / "reencoded" / f"{number}_{video.stem}.mp4"
        if not target.is_file():
            reencode(video, target, Encoding())
        fast.append(target)
        folders += _extract(video, folder / "frames", f"{number}_{video.stem}")
    return videos, fast, sorted(folders, key=lambda found: found.side)


def _generate(path: Path, size: tuple[int, int], frames: int) -> None:
    """A textured scene that pans and turns, with fine noise over it: H.264 of x264's defaults, long GOPs."""
    height, width = size
    rng = np.random.default_rng(0)
    scene = cv2.resize(
        rng.integers(0, 256, (40, 60, 3), np.uint8), (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC
    )
    part = path.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as out:
        stream = out.add_stream(
            "libx264", rate=30, options={"g": str(_GOP), "keyint_min": str(_GOP), "sc_threshold": "0"}
        )
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for index in range(frames):
            turn = cv2.getRotationMatrix2D((width, height), 0.2 * index, 1 + 0.001 * index)
            turn[:, 2] -= (width / 2 + width / 8 * np.sin(index / 20), height / 2)
            image = cv2.warpAffine(scene, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
            image = cv2.add(image, rng.integers(0, 12, image.shape, np.uint8))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        out.mux(stream.encode(None))
    part.replace(path)


def _extract(video: Path, folder: Path, name: str) -> list[FrameFolder]:
    with open_video(video) as opened:
        count = min(_EXTRACTED, opened.num_frames)
        folders = [FrameFolder(folder / f"{name}_{side}", count, side) for side in FRAME_SIDES]
        images = None
        for path, _, side in folders:
            if (path / f"img_{count:05}.jpg").is_file():
                continue
            path.mkdir(parents=True, exist_ok=True)
            images = opened.frames(range(count)) if images is None else images
            for number, image in enumerate(images, start=1):
                cv2.imwrite(
                    str(path / f"img_{number:05}.jpg"),
                    _scaled(image, side / min(opened.size))[..., ::-1],
                    [cv2.IMWRITE_JPEG_QUALITY, 90],
                )
    return folders


def _scaled(image: np.ndarray, scale: float) -> np.ndarray:
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)
