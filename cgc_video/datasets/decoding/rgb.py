"""From a decoded frame to upright RGB."""

import av
import numpy as np
from av.video.reformatter import VideoReformatter

__all__ = ["ONE_THREAD", "RGBConverter", "upright"]

# For ``reformat``: PyAV 17 and later start a thread per core for it, and pay more for them than small frames take.
ONE_THREAD = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}


def upright(image: np.ndarray, degrees: float) -> np.ndarray:
    """Turn ``(H, W, 3)`` counter-clockwise by a multiple of 90 degrees; any other angle leaves it as it is."""
    if degrees % 90 or not degrees % 360:
        return image
    return np.ascontiguousarray(np.rot90(image, int(degrees // 90)))


class RGBConverter:
    """Converts the frames of one file to ``(H, W, 3)`` uint8 RGB, by the colour tags of the file, rotation applied.

    All frames come out at the size of the first: one of another size (a resolution that changes midway) is scaled to
    it.
    """

    def __init__(self) -> None:
        # one scaler for all frames: setting one up takes longer than converting a small frame
        self.scaler = VideoReformatter()
        self.coded_size: tuple[int, int] | None = None

    def see(self, frame: av.VideoFrame) -> None:
        """Take the size of the first frame as everyone's."""
        if self.coded_size is None:
            self.coded_size = (frame.width, frame.height)

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """Convert a frame; the result looks at memory that lives no longer than the next call."""
        self.see(frame)
        width, height = self.coded_size
        rgb = self.scaler.reformat(frame, width=width, height=height, format="rgb24", **ONE_THREAD)
        plane = rgb.planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, : 3 * width]
        return upright(rows.reshape(height, width, 3), frame.rotation)
