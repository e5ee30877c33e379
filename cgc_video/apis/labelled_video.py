"""A copy of a video with the predicted labels drawn on it."""

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from .recognition import Moment, Prediction
from .sources import Source, open_source

__all__ = ["write_labelled_video"]

_CHUNK = 32  # frames in memory
_FPS = 12  # of sources that do not say, such as folders of frames


def write_labelled_video(path: str | Path, source: Source, moments: Sequence[Moment]) -> None:
    """Write an H.264 MP4 of a source's frames, each with the labels of the latest moment that has begun.

    Args:
        path: The file to write; replaced as a whole, so that a run that is cut off leaves nothing behind.
        moments: In the order of their starts, the first at frame 0.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.partial.mp4")
    try:
        with open_source(source) as video, av.open(str(partial), "w") as container:
            rate = Fraction(video.fps or _FPS).limit_denominator(1001)
            stream = container.add_stream("libx264", rate=rate, options={"crf": "20", "preset": "veryfast"})
            height, width = video.size
            stream.height, stream.width, stream.pix_fmt = height + height % 2, width + width % 2, "yuv420p"
            current = 0
            for start in range(0, video.num_frames, _CHUNK):
                numbers = range(start, min(start + _CHUNK, video.num_frames))
                for number, image in zip(numbers, video.frames(numbers), strict=True):
                    while current + 1 < len(moments) and moments[current + 1].start <= number:
                        current += 1
                    image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
                    _draw(image, moments[current].predictions)
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _draw(image: np.ndarray, predictions: Sequence[Prediction]) -> None:
    """Lines of text on a darkened band at the top, sized to the frame."""
    scale = max(0.3, image.shape[0] / 720)
    line = round(30 * scale)
    band = image[: min(len(image), line * len(predictions) + line // 2)]
    band //= 3
    for row, prediction in enumerate(predictions, start=1):
        # OpenCV's font has no other characters
        text = f"{prediction.probability:4.0%} {prediction.name}".encode("ascii", "replace").decode()
        place = (line // 4, line * row)
        cv2.putText(
            image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), max(1, round(2 * scale)), cv2.LINE_AA
        )
