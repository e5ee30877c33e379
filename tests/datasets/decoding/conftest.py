"""Small videos of every container and codec; each frame shows its number as eight blocks, dark or bright."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

WIDTH, HEIGHT = 64, 48
FRAMES = 60


def draw(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A frame ``(H, W, 3)``: 2 rows of 4 blocks, the bits of ``number``, and a stripe that moves."""
    bits = np.array([(number >> bit) & 1 for bit in range(8)]).reshape(2, 4)
    luma = np.kron(40 + 170 * bits, np.ones((height // 2, width // 4))).astype(np.uint8)
    image = np.repeat(luma[..., None], 3, axis=2)
    image[number % height, :, 1] ^= 40
    return image


def read_number(image: np.ndarray) -> int:
    """The number that a frame shows, whatever its size."""
    height, width = image.shape[:2]
    blocks = image.mean(axis=2).reshape(2, height // 2, 4, width // 4)
    middle = blocks[:, height // 8 : -height // 8, :, width // 16 : -width // 16].mean(axis=(1, 3))
    return int(sum(1 << bit for bit, bright in enumerate(middle.ravel() > 125) if bright))


def encode(
    path: Path,
    codec: str,
    options: dict[str, str] | None = None,
    pts: list[int] | None = None,
    sizes: tuple[tuple[int, int], ...] = ((WIDTH, HEIGHT),),
    frames: int = FRAMES,
    audio: bool = False,
    pix_fmt: str = "yuv420p",
    first: int = 0,
) -> None:
    """Write frames ``first, first + 1, ...``; several sizes share the frames out, each with an encoder of its own."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=dict(options or {}))
        stream.width, stream.height = sizes[0]
        stream.pix_fmt = pix_fmt
        stream.codec_context.thread_count = 1
        if pts is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if audio:
            _add_audio(container)
        per_size = frames // len(sizes)
        for part, (width, height) in enumerate(sizes):
            encoder = stream.codec_context if part == 0 else _another(codec, width, height, options, pix_fmt)
            for number in range(part * per_size, (part + 1) * per_size):
                frame = av.VideoFrame.from_ndarray(draw(first + number, width, height), format="rgb24")
                frame = frame.reformat(format=pix_fmt)
                frame.pts = number if pts is None else pts[number]
                frame.time_base = Fraction(1, 25) if pts is None else Fraction(1, 1000)
                _mux(container, stream, encoder.encode(frame))
            _mux(container, stream, encoder.encode(None))


def _another(codec: str, width: int, height: int, options, pix_fmt: str) -> av.CodecContext:
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pix_fmt
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.options = dict(options or {})
    return encoder


def _mux(container, stream, packets) -> None:
    for packet in packets:
        packet.stream = stream
        container.mux(packet)


def _add_audio(container) -> None:
    stream = container.add_stream("aac", rate=16000)
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
    frame.sample_rate = 16000
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


X264 = {"preset": "veryfast"}
QUIET = {"x265-params": "log-level=0:keyint=12:min-keyint=12", "preset": "veryfast"}
IRREGULAR = list(np.cumsum(np.tile([20, 40, 41, 95, 3], FRAMES)[:FRAMES]))


def _rotated(path: Path, degrees: int, b_frames: str = "3") -> None:
    """Write a rotation into the track header of an MP4 file, as phones do."""
    encode(path, "libx264", {**X264, "g": "12", "bf": b_frames}, sizes=((96, 64),))
    one = 1 << 16
    a, b, c, d = {90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}[degrees]
    data = bytearray(path.read_bytes())
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def _edited(path: Path, b_frames: str = "3") -> None:
    """Let the edit list of an MP4 file skip the first seven frames."""
    encode(path, "libx264", {**X264, "g": "12", "bf": b_frames})
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4
    version, entries = data[at], struct.unpack_from(">I", data, at + 4)[0]
    assert (version, entries) == (0, 1)
    media_time = struct.unpack_from(">i", data, at + 12)[0]
    with av.open(str(path)) as container:
        step = round(1 / container.streams.video[0].time_base / 25)
    struct.pack_into(">i", data, at + 12, media_time + 7 * step)
    path.write_bytes(data)


def _fragmented(path: Path) -> None:
    """An MP4 file in fragments, as streaming services cut it."""
    whole = path.with_suffix(".whole.mp4")
    encode(whole, "libx264", {**X264, "g": "8", "bf": "0"})
    remux(whole, path, {"movflags": "frag_keyframe+empty_moov"})


def remux(source: Path, target: Path, options: dict[str, str]) -> None:
    """Write the packets of a file anew."""
    with av.open(str(source)) as read, av.open(str(target), "w", options=options) as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = stream
                write.mux(packet)


def _order_lost(path: Path, codec: str, options: dict[str, str]) -> None:
    """An MP4 file with B-frames whose time stamps claim that there are none, as copied from a raw stream."""
    whole = path.with_suffix(".whole.mp4")
    encode(whole, codec, options)
    with av.open(str(whole)) as read, av.open(str(path), "w") as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for number, packet in enumerate(read.demux(video=0)):
            if packet.size:
                packet.pts = packet.dts = 512 * number
                packet.stream = stream
                write.mux(packet)


def _doubled(path: Path) -> None:
    """A Matroska file in which time stamps occur twice."""
    encode(path, "libx264", {**X264, "g": "12", "bf": "0"})
    with av.open(str(path)) as source:
        stamps = [
            (packet.pts, packet.dts, bytes(packet), packet.is_keyframe)
            for packet in source.demux(video=0)
            if packet.size
        ]
        with av.open(str(path.with_suffix(".tmp.mkv")), "w", format="matroska") as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            for number, (pts, _, data, key) in enumerate(stamps):
                packet = av.Packet(data)
                packet.pts = packet.dts = pts if number % 5 else stamps[max(0, number - 1)][0]
                packet.time_base = source.streams.video[0].time_base
                packet.is_keyframe = key
                packet.stream = stream
                target.mux(packet)
    path.with_suffix(".tmp.mkv").replace(path)


def _two_sizes(path: Path) -> None:
    """A transport stream whose resolution changes midway."""
    parts = []
    for part, size in enumerate([(WIDTH, HEIGHT), (96, 64)]):
        piece = path.with_suffix(f".{part}.ts")
        encode(piece, "libx264", {**X264, "g": "12"}, sizes=(size,), frames=FRAMES // 2, first=part * FRAMES // 2)
        parts.append(piece.read_bytes())
    path.write_bytes(b"".join(parts))


def _cut_start(path: Path) -> None:
    """A transport stream that begins in the middle of a GOP."""
    encode(path, "libx264", {**X264, "g": "20"})
    data = path.read_bytes()
    path.write_bytes(data[188 * (len(data) // 188 // 5) :])


def sequential(path: Path) -> list[np.ndarray]:
    """What the numbers of frames are defined by: PyAV's plain decode, upright, at the size of the first frame."""
    with av.open(str(path)) as container:
        frames = list(container.decode(container.streams.best("video")))
        width, height = frames[0].width, frames[0].height
        images = [frame.reformat(width=width, height=height, format="rgb24").to_ndarray() for frame in frames]
        return [np.rot90(image, frame.rotation // 90) for image, frame in zip(images, frames, strict=True)]


# Name: (suffix, maker). The first word of a name is the codec.
MAKERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "h264_mp4": ("mp4", lambda p: encode(p, "libx264", {**X264, "g": "12", "bf": "3"}, audio=True)),
    "h264_long_gop": ("mp4", lambda p: encode(p, "libx264", {**X264, "g": "250", "bf": "3"})),
    "h264_no_b": ("mp4", lambda p: encode(p, "libx264", {**X264, "g": "8", "bf": "0"})),
    "h264_no_b_audio": ("mp4", lambda p: encode(p, "libx264", {**X264, "g": "8", "bf": "0"}, audio=True)),
    "h264_no_b_mov": ("mov", lambda p: encode(p, "libx264", {**X264, "g": "8", "bf": "0"})),
    "h264_no_b_vfr": ("mp4", lambda p: encode(p, "libx264", {**X264, "g": "8", "bf": "0"}, pts=IRREGULAR)),
    "h264_no_b_rotated": ("mp4", lambda p: _rotated(p, 90, "0")),
    "h264_no_b_edit_list": ("mp4", lambda p: _edited(p, "0")),
    "h264_no_b_fragments": ("mp4", _fragmented),
    "h264_no_b_repeated": (  # a sequence parameter set before each key frame
        "mp4",
        lambda p: encode(p, "libx264", {**X264, "g": "8", "bf": "0", "x264-params": "repeat-headers=1"}),
    ),
    "h264_no_b_slices": (
        "mp4",
        lambda p: encode(p, "libx264", {**X264, "g": "8", "bf": "0", "x264-params": "slices=2"}),
    ),
    "h264_no_b_intra_refresh": (
        "mp4",
        lambda p: encode(p, "libx264", {**X264, "g": "12", "bf": "0", "x264-params": "intra-refresh=1:scenecut=0"}),
    ),
    "h264_all_key": ("mp4", lambda p: encode(p, "libx264", {**X264, "g": "1"})),
    "h264_mkv": ("mkv", lambda p: encode(p, "libx264", {**X264, "g": "12", "bf": "3"})),
    "h264_mov": ("mov", lambda p: encode(p, "libx264", {**X264, "g": "12", "bf": "3"})),
    "h264_open_gop": (
        "mp4",
        lambda p: encode(
            p, "libx264", {**X264, "x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:scenecut=0"}
        ),
    ),
    "h264_intra_refresh": (
        "mp4",
        lambda p: encode(p, "libx264", {**X264, "g": "12", "x264-params": "intra-refresh=1:scenecut=0"}),
    ),
    "h264_interlaced": ("mp4", lambda p: encode(p, "libx264", {**X264, "g": "12", "x264-params": "tff=1"})),
    "h264_avi": ("avi", lambda p: encode(p, "libx264", {**X264, "g": "12", "bf": "3"})),
    "h264_ts": ("ts", lambda p: encode(p, "libx264", {**X264, "g": "12", "bf": "3"})),
    "h264_ts_cut_start": ("ts", _cut_start),
    "h264_ts_two_sizes": ("ts", _two_sizes),
    "h264_vfr_mp4": ("mp4", lambda p: encode(p, "libx264", {**X264, "g": "12", "bf": "3"}, pts=IRREGULAR)),
    "h264_vfr_mkv": ("mkv", lambda p: encode(p, "libx264", {**X264, "g": "12", "bf": "3"}, pts=IRREGULAR)),
    "h264_doubled_mkv": ("mkv", _doubled),
    "h264_edit_list": ("mp4", _edited),
    "h264_rotated_90": ("mp4", lambda p: _rotated(p, 90)),
    "h264_rotated_180": ("mp4", lambda p: _rotated(p, 180)),
    "h264_rotated_270": ("mp4", lambda p: _rotated(p, 270)),
    "h264_order_lost": ("mp4", lambda p: _order_lost(p, "libx264", {**X264, "g": "12", "bf": "3"})),
    "hevc_order_lost": ("mp4", lambda p: _order_lost(p, "libx265", QUIET)),
    "hevc_open_gop": ("mp4", lambda p: encode(p, "libx265", QUIET)),
    "hevc_closed_gop": (
        "mkv",
        lambda p: encode(p, "libx265", {**QUIET, "x265-params": QUIET["x265-params"] + ":no-open-gop=1"}),
    ),
    "hevc_ten_bits": ("mp4", lambda p: encode(p, "libx265", QUIET, pix_fmt="yuv420p10le")),
    "hevc_temporal_layers": (
        "mp4",
        lambda p: encode(p, "libx265", {**QUIET, "x265-params": QUIET["x265-params"] + ":temporal-layers=3:bframes=3"}),
    ),
    "vp9_webm": ("webm", lambda p: encode(p, "libvpx-vp9", {"g": "12", "deadline": "realtime", "cpu-used": "8"})),
    "vp9_altref": (
        "webm",
        lambda p: encode(
            p, "libvpx-vp9", {"g": "30", "auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "5", "b": "100k"}
        ),
    ),
    "vp9_mp4": ("mp4", lambda p: encode(p, "libvpx-vp9", {"g": "12", "deadline": "realtime", "cpu-used": "8"})),
    "vp9_two_sizes": (
        "webm",
        lambda p: encode(
            p, "libvpx-vp9", {"g": "12", "deadline": "realtime", "cpu-used": "8"}, sizes=((WIDTH, HEIGHT), (96, 64))
        ),
    ),
    "vp8_webm": (
        "webm",
        lambda p: encode(p, "libvpx", {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "16", "b": "200k"}),
    ),
    "av1_mp4": ("mp4", lambda p: encode(p, "libsvtav1", {"g": "12", "preset": "12", "svtav1-params": "lp=1"})),
    "av1_webm": ("webm", lambda p: encode(p, "libsvtav1", {"g": "12", "preset": "12", "svtav1-params": "lp=1"})),
    "mpeg4_avi_b": ("avi", lambda p: encode(p, "mpeg4", {"g": "12", "bf": "2", "b": "400k"})),
    "mpeg4_mp4_b": ("mp4", lambda p: encode(p, "mpeg4", {"g": "12", "bf": "2", "b": "400k"})),
    "mpeg4_avi": ("avi", lambda p: encode(p, "mpeg4", {"g": "12", "b": "400k"})),
    "mpeg2_ts": ("ts", lambda p: encode(p, "mpeg2video", {"g": "12", "bf": "2", "b": "800k"})),
    "mpeg2_mpg": ("mpg", lambda p: encode(p, "mpeg2video", {"g": "12", "bf": "2", "b": "800k"})),
    "mjpeg_avi": ("avi", lambda p: encode(p, "mjpeg", {"b": "2M"}, pix_fmt="yuvj420p")),
}


@pytest.fixture(scope="session")
def reference(video) -> Callable[[str], list[np.ndarray]]:
    """All frames of a file by sequential decoding."""
    known: dict[str, list[np.ndarray]] = {}

    def get(name: str) -> list[np.ndarray]:
        if name not in known:
            known[name] = sequential(video(name))
        return known[name]

    return get


@pytest.fixture(scope="session")
def video(tmp_path_factory) -> Callable[[str], Path]:
    """The file of a name in ``MAKERS``, made on first use."""
    folder, made = tmp_path_factory.mktemp("videos"), {}

    def get(name: str) -> Path:
        if name not in made:
            suffix, maker = MAKERS[name]
            path = folder / f"{name}.{suffix}"
            maker(path)
            made[name] = path
        return made[name]

    return get


@pytest.fixture(scope="session")
def numbers() -> Callable[[np.ndarray], int]:
    """Reads the number that a frame shows."""
    return read_number


@pytest.fixture(scope="session")
def all_frames() -> Callable[[Path], list[np.ndarray]]:
    """Decodes any file sequentially."""
    return sequential


@pytest.fixture(scope="session")
def copy_packets() -> Callable[..., None]:
    """Writes the packets of a file anew, see ``remux``."""
    return remux


@pytest.fixture(scope="session")
def make_video() -> Callable[..., None]:
    """Writes a video, see ``encode``."""
    return encode
