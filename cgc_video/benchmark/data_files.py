"""The files that the data benchmark reads: clips as they come, generated ones, and what preparation makes of them."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from cgc_video.datasets.decoding.video import open_video
from cgc_video.datasets.preparation.reencode import Encoding, reencode

__all__ = ["prepare_files"]

_GENERATED = {"generated_340x256.mp4": (256, 340), "generated_720p.mp4": (720, 1280)}
_FRAMES, _GOP = 300, 250


def prepare_files(
    folder: Path, clips: Sequence[Path], frames: int = _FRAMES
) -> tuple[list[Path], list[Path], list[tuple[Path, int]]]:
    """Make what is not there yet: generated clips, re-encoded ones, and frame folders.

    Args:
        folder: Where they are kept.
        clips: Files that are there already.
        frames: Length of the generated clips.
    Returns:
        The videos, the re-encoded ones, and the frame folders (short side 256, JPEG quality 90) with their lengths.
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
        folders.append(_extract(video, folder / "frames" / f"{number}_{video.stem}"))
    return videos, fast, folders


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


def _extract(video: Path, folder: Path) -> tuple[Path, int]:
    with open_video(video) as opened:
        count = opened.num_frames
        if not (folder / f"img_{count:05}.jpg").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            scale = 256 / min(opened.size)
            for start in range(0, count, 32):
                for offset, image in enumerate(opened.frames(range(start, min(start + 32, count)))):
                    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                    name = str(folder / f"img_{start + offset + 1:05}.jpg")
                    cv2.imwrite(name, small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return folder, count
