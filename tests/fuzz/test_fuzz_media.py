"""Bytes of videos and images, damaged: decoded, or refused by an error that names the file. Never a crash, in a process that could.

The memory of that process is bounded: a damaged header that asks for more than 3 GiB must not be obeyed.
"""

import io
import os
import resource
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.decoding.jpeg import choose_jpeg_backend, decode_image, jpeg_size
from cgc_video.datasets.decoding.video import open_video
from cgc_video.datasets.images.decode import decode_photo
from cgc_video.datasets.mini_sth.scene import render_clip
from cgc_video.datasets.preparation.checking import clip_frames
from cgc_video.errors import UserError

pytestmark = pytest.mark.timeout(7200)

MEMORY = 3 * 2**30
# by suffix: encoders, each with its options
VIDEOS = {
    "mp4": [
        ("libx264", {"g": "8", "bf": "2"}),
        ("libx264", {"g": "8", "bf": "0"}),
        ("libx265", {"x265-params": "log-level=0"}),
        ("mpeg4", {}),
    ],
    "avi": [("mpeg4", {}), ("mjpeg", {}), ("libx264", {"bf": "0"})],
    "webm": [("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}), ("libvpx", {"deadline": "realtime"})],
    "mkv": [("libx264", {"g": "8"}), ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}), ("mpeg4", {})],
    "ts": [("libx264", {"g": "8"}), ("mpeg2video", {})],
}


@pytest.fixture(scope="session")
def scene() -> np.ndarray:
    """A clip of the mini data set ``(T, H, W, 3)``."""
    return render_clip(np.random.default_rng(0), 0, 64, 12)


def encode(frames: np.ndarray, suffix: str, codec: str, options: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    formats = {"mkv": "matroska", "ts": "mpegts"}
    same = {"fflags": "+bitexact"}  # Matroska has random numbers in it, and the inputs are to be those of the last run
    with av.open(buffer, "w", format=formats.get(suffix, suffix), options=same) as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


def _bounded() -> None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY + _address_space(), limit))


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


class _Reader:
    """Writes an input to a file and reads that; made before the process is forked, which bounds its own memory."""

    def __init__(self, path: Path, read) -> None:
        self.path, self.read, self.bounded = path, read, False

    def __call__(self, data: bytes) -> bool:
        if not self.bounded:
            _bounded()
            self.bounded = True
        self.path.write_bytes(data)
        try:
            self.read(self.path)
        except UserError as error:
            message = str(error)
        else:
            return True
        assert str(self.path) in message, message
        return False


def _decode(path: Path, backend: str) -> None:
    """What a training asks of a file: its number of frames, then a few of them in any order, then the size."""
    with open_video(path, backend, time_limit=8) as video:
        wanted = sorted({0, video.num_frames // 2, video.num_frames - 1})
        images = video.frames(wanted[::-1])
        assert images.shape == (len(wanted), *video.size, 3)


def _check(path: Path) -> None:
    """What ``tools/data/check.py`` does with it."""
    assert clip_frames(str(path)) > 0


@pytest.mark.parametrize("suffix", VIDEOS)
@pytest.mark.parametrize("reader", ["pyav", "opencv", "check"])
def test_videos(fuzz, damaged, sandbox, scene, tmp_path, suffix, reader):
    originals = [encode(scene, suffix, *encoder) for encoder in VIDEOS[suffix]]
    path = tmp_path / f"clip.{suffix}"
    read = _Reader(path, _check if reader == "check" else lambda file: _decode(file, reader))
    process = sandbox(read)
    for data in originals:
        assert process(data)
    outcome = fuzz(damaged(originals), process, few=8, many=10_000 if reader == "pyav" else 2_000)
    assert outcome.refused


@pytest.mark.parametrize("suffix", ["mp4", "avi"])
def test_videos_by_decord(fuzz, damaged, sandbox, scene, tmp_path, suffix):
    """It runs in a process that may die: that is an error of the file, too."""
    originals = [encode(scene, suffix, *encoder) for encoder in VIDEOS[suffix] if encoder[0] != "libx265"]
    process = sandbox(_Reader(tmp_path / f"clip.{suffix}", lambda file: _decode(file, "decord")))
    outcome = fuzz(damaged(originals), process, few=4, many=2_000)
    assert outcome.refused


def images(scene: np.ndarray) -> dict[str, list[bytes]]:
    """A frame in several formats, and ways to write each."""
    photo, grey = Image.fromarray(scene[0]), Image.fromarray(scene[0]).convert("L")
    exif = Image.Exif()
    exif[0x0112] = 6
    found: dict[str, list[bytes]] = {"jpg": [], "png": [], "webp": [], "other": []}
    jpegs = [{}, {"progressive": True}, {"exif": exif}, {"subsampling": 0, "quality": 30}, {"restart_marker_blocks": 2}]
    for name, image, kind, options in [
        *[("jpg", photo, "JPEG", options) for options in jpegs],
        ("jpg", grey, "JPEG", {}),
        ("jpg", photo.convert("CMYK"), "JPEG", {}),
        ("png", photo, "PNG", {}),
        ("png", photo.convert("P"), "PNG", {}),
        ("png", grey.convert("I;16"), "PNG", {}),
        ("webp", photo, "WEBP", {}),
        ("webp", photo, "WEBP", {"lossless": True}),
        *[("other", photo, kind, {}) for kind in ("BMP", "TIFF", "PPM")],
        ("other", photo.convert("P"), "GIF", {}),
    ]:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        found[name].append(buffer.getvalue())
    return found


def _frame(path: Path, backend: str) -> None:
    """As a frame of a folder, whole and reduced."""
    image = decode_image(path, backend)
    height, width = jpeg_size(path)
    assert image.shape == (height, width, 3)
    reduced = decode_image(path, backend, at_least=(16, 16), memory=np.empty((64, 64, 3), np.uint8))
    assert reduced.dtype == np.uint8


def _photo(path: Path) -> None:
    """As an image of ImageNet."""
    image = decode_photo(path)
    assert image.ndim == 3
    assert image.shape[2] == 3


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "other"])
@pytest.mark.parametrize("reader", ["cv2", "simplejpeg", "photo"])
def test_images(fuzz, damaged, sandbox, scene, tmp_path, kind, reader):
    if reader == "simplejpeg":
        if kind != "jpg":
            pytest.skip("simplejpeg reads JPEG alone")
        pytest.importorskip("simplejpeg")
    if reader != "photo":
        choose_jpeg_backend(reader)
    cv2.setNumThreads(1)
    originals = images(scene)[kind]
    readable = [data for data in originals if reader != "simplejpeg" or not _is_cmyk(data)]
    if reader == "cv2" and kind == "other":  # GIF is not OpenCV's
        readable = readable[:-1]
    path = tmp_path / f"image.{kind}"
    process = sandbox(_Reader(path, _photo if reader == "photo" else lambda file: _frame(file, reader)))
    for data in readable:
        assert process(data)
    fuzz(damaged(readable), process, few=15)


def _is_cmyk(data: bytes) -> bool:
    with Image.open(io.BytesIO(data)) as image:
        return image.mode == "CMYK"


def _raise(value) -> None:
    raise DecodeError("clip.mp4", "damaged")


def test_the_sandbox_tells_a_death_and_an_error(sandbox):
    """The net that the other tests rely on."""
    process = sandbox(lambda value: os.abort() if value == "die" else value)
    with pytest.raises(AssertionError, match=r"the process died of it \(SIGABRT\)"):
        process("die")
    assert process("live") == "live"
    with pytest.raises(AssertionError, match="DecodeError: clip.mp4 cannot be decoded: damaged"):
        sandbox(_raise)(1)
