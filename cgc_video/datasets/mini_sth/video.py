"""Write RGB frames as an H.264 file or as a folder of JPEG images, and draw how a clip is to be compressed."""

import io
from collections.abc import Mapping
from pathlib import Path

import av
import cv2
import numpy as np

from ...errors import UserError

__all__ = ["draw_compression", "write_jpegs", "write_mp4"]

# One quantiser for every frame type: with x264's defaults the first frame is the sharpest, which tells where a clip
# starts, and so which way it runs, in one frame.
_EVEN_QUALITY = "ipratio=1.0:pbratio=1.0:mbtree=0"


def draw_compression(rng: np.random.Generator) -> dict[str, int]:
    """Draw the encoder settings of one clip: ``fps``, ``crf``, ``gop_size`` and ``b_frames``."""
    return {
        "fps": int(rng.choice([10, 12, 15, 24, 25, 30])),
        "crf": int(rng.integers(16, 25)),
        "gop_size": int(rng.choice([1, 4, 8, 12, 250])),
        "b_frames": int(rng.integers(0, 4)),
    }


def write_mp4(path: str | Path, frames: np.ndarray, compression: Mapping[str, int]) -> None:
    """Encode frames ``(T, H, W, 3)`` uint8 RGB, H and W even, to H.264 yuv420p in an MP4 file.

    Args:
        compression: See ``draw_compression``.
    Raises:
        UserError: If PyAV was built without libx264.
        OSError: If the file cannot be written.
    """
    if "libx264" not in av.codecs_available:
        raise UserError("This build of PyAV has no libx264 encoder; take the wheel: pip install --force-reinstall av.")
    options = {
        "crf": str(compression["crf"]),
        "g": str(compression["gop_size"]),
        "bf": str(compression["b_frames"]),
        "preset": "veryfast",
        "x264-params": _EVEN_QUALITY,
    }
    # to memory first: PyAV's own file errors cannot be sent from a worker to its parent
    buffer = io.BytesIO()
    with av.open(buffer, mode="w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=compression["fps"], options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1  # the same bytes on every machine, and no threads below the workers
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    Path(path).write_bytes(buffer.getvalue())


def write_jpegs(folder: str | Path, frames: np.ndarray, quality: int = 92) -> None:
    """Write frames ``(T, H, W, 3)`` uint8 RGB to ``folder/00001.jpg`` onwards, as Something-Something v1 is shipped.

    Raises:
        OSError: If the folder or a file cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=1):
        _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        (folder / f"{number:05d}.jpg").write_bytes(data.tobytes())
