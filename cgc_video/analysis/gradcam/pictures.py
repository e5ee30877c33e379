"""Maps laid over frames, as a PNG strip, a GIF and an MP4."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

from ...errors import UserError

__all__ = ["draw_strip", "overlay", "write_gif", "write_mp4", "write_png"]

_FRAME_HEIGHT, _TITLE, _GAP = 160, 20, 2
_FONT = cv2.FONT_HERSHEY_SIMPLEX, 0.42


def overlay(frames: np.ndarray, maps: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Lay maps over frames, blue for 0 and red for 1.

    Args:
        frames: ``(T, H, W, 3)`` uint8 RGB.
        maps: ``(T, H, W)`` in 0..1.

    Returns:
        ``(T, H, W, 3)`` uint8 RGB.
    """
    heat = np.stack([cv2.applyColorMap(np.uint8(255 * m), cv2.COLORMAP_JET)[..., ::-1] for m in maps])
    return np.uint8((1 - opacity) * frames + opacity * heat)


def draw_strip(rows: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """Rows of frames under their titles: ``(title, (T, H, W, 3) uint8)`` each; returns ``(height, width, 3)`` RGB."""
    titles = [title.encode("ascii", "replace").decode() for title, _ in rows]  # OpenCV's font has no other characters
    strips = [_side_by_side(_enlarged(frames)) for _, frames in rows]
    widest = max(cv2.getTextSize(title, *_FONT, 1)[0][0] for title in titles)
    width = max(widest + 8, *(strip.shape[1] for strip in strips))
    picture = np.full((sum(_TITLE + strip.shape[0] + _GAP for strip in strips), width, 3), 255, np.uint8)
    top = 0
    for title, strip in zip(titles, strips, strict=True):
        cv2.putText(picture, title, (4, top + 14), *_FONT, (0, 0, 0), 1, cv2.LINE_AA)
        top += _TITLE
        picture[top : top + strip.shape[0], : strip.shape[1]] = strip
        top += strip.shape[0] + _GAP
    return picture


def _side_by_side(frames: np.ndarray) -> np.ndarray:
    return np.concatenate(list(np.pad(frames, ((0, 0), (0, 0), (0, _GAP), (0, 0)), constant_values=255)), axis=1)


def write_png(path: Path, image: np.ndarray) -> None:
    """Write ``(H, W, 3)`` RGB."""
    if not cv2.imwrite(str(path), image[..., ::-1]):
        raise UserError(f"{path} cannot be written; give another folder.")


def write_gif(path: Path, frames: np.ndarray, fps: float) -> None:
    """Write ``(T, H, W, 3)`` RGB as a GIF that repeats for ever."""
    first, *others = [Image.fromarray(frame) for frame in _enlarged(frames)]
    first.save(path, save_all=True, append_images=others, duration=round(1000 / fps), loop=0)


def write_mp4(path: Path, frames: np.ndarray, fps: float) -> None:
    """Write ``(T, H, W, 3)`` RGB as H.264; an odd last row or column is repeated, since the format wants even sizes."""
    frames = _enlarged(frames)
    frames = np.pad(frames, ((0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2), (0, 0)), mode="edge")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000), options={"crf": "18"})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def _enlarged(frames: np.ndarray) -> np.ndarray:
    """Small frames are hard to look at: enlarge them by a whole factor."""
    factor = max(1, _FRAME_HEIGHT // frames.shape[1])
    return frames.repeat(factor, axis=1).repeat(factor, axis=2)
