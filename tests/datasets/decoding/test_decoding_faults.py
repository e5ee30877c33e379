"""Each broken file raises one typed error with its path and the reason."""

import os
import pickle
from pathlib import Path

import av
import numpy as np
import pytest

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.decoding.video import BACKENDS, open_video
from cgc_video.errors import UserError


@pytest.fixture
def broken(tmp_path: Path, video):
    """Makes a broken file by name."""

    def make(kind: str) -> Path:
        what, _, name = kind.partition(":")
        path = tmp_path / (video(name).name if name else f"{what}.mp4")
        data = video(name).read_bytes() if name else b""
        middle = len(data) // 2
        if what == "text":
            path.write_text("this is no video\n" * 50)
        elif what == "empty":
            path.write_bytes(b"")
        elif what == "folder":
            path.mkdir()
        elif what == "pipe":
            os.mkfifo(path)
        elif what == "audio":
            with av.open(str(path), "w") as container:
                stream = container.add_stream("aac", rate=16000)
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
                frame.sample_rate = 16000
                container.mux([*stream.encode(frame), *stream.encode(None)])
        elif what == "no_frames":
            _write_header_only(path)
        elif what == "cut":
            path.write_bytes(data[: len(data) * 6 // 10])
        elif what == "cut_index_first":
            _put_index_first(video(name), path)
            path.write_bytes(path.read_bytes()[:-700])
        elif what == "zeros":
            path.write_bytes(data[:middle] + bytes(600) + data[middle + 600 :])
        elif what == "noise":
            path.write_bytes(data[:middle] + np.random.default_rng(0).bytes(600) + data[middle + 600 :])
        return path

    return make


def _write_header_only(path: Path) -> None:
    with av.open(str(path), "w", options={"movflags": "empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()


def _put_index_first(source: Path, path: Path) -> None:
    with av.open(str(source)) as read, av.open(str(path), "w", options={"movflags": "faststart"}) as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = stream
                write.mux(packet)


REASONS = {
    "missing": "missing",
    "empty": r"empty \(0 bytes\)",
    "text": "not a video",
    "folder": "a folder, not a file",
    "pipe": "not a regular file",
    "audio": "audio only",
    "no_frames": "zero frames",
    "cut:h264_mp4": r"truncated \([\d,]+ of [\d,]+ bytes\)",
    "cut_index_first:h264_long_gop": r"truncated \([\d,]+ of [\d,]+ bytes\)",
    "cut:h264_mov": "truncated",
    "cut:h264_mkv": r"truncated \([\d,]+ of [\d,]+ bytes\)",
    "cut:vp9_webm": "truncated",
    "cut:mpeg4_avi": r"truncated \([\d,]+ of [\d,]+ bytes\)",
    "cut:mpeg2_mpg": "damaged at frame 34",
}
HOLES = ["h264_mp4", "h264_long_gop", "h264_no_b", "h264_open_gop", "h264_mkv", "h264_vfr_mkv", "h264_avi", "h264_ts"]
HOLES += [
    "vp9_webm",
    "vp9_mp4",
    "vp8_webm",
    "av1_mp4",
    "av1_webm",
    "mpeg4_avi_b",
    "mpeg4_mp4_b",
    "mpeg2_ts",
    "mpeg2_mpg",
]
REASONS |= {f"{kind}:{name}": "damaged" for kind in ("zeros", "noise") for name in HOLES}


@pytest.mark.parametrize("kind", REASONS)
def test_a_broken_file_is_named_with_its_reason(kind: str, broken):
    path = broken(kind)
    with pytest.raises(DecodeError) as caught, open_video(path) as opened:
        opened.frames(range(opened.num_frames))
    assert caught.value.path == str(path)
    assert caught.match(REASONS[kind])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("backend", ["decord", "opencv"])
@pytest.mark.parametrize(
    "kind", ["missing", "empty", "text", "folder", "pipe", "audio", "cut:h264_mp4", "cut:vp9_webm"]
)
def test_other_back_ends_give_the_same_reasons(kind: str, backend: str, broken):
    path = broken(kind)
    with pytest.raises(DecodeError, match=REASONS[kind]), open_video(path, backend):
        pass


def test_a_lost_picture_of_hevc_is_noticed(video, tmp_path: Path):
    """Its decoder leaves the picture out without an error; later ones would be numbered wrongly."""
    data = bytearray(video("hevc_open_gop").read_bytes())
    with av.open(str(video("hevc_open_gop"))) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    lost = packets[20]
    data[lost.pos + 8 : lost.pos + lost.size] = bytes(lost.size - 8)  # its header stays
    path = tmp_path / "lost.mp4"
    path.write_bytes(data)
    with open_video(path) as opened, pytest.raises(DecodeError, match="damaged"):
        opened.frames(range(15, 40))


def test_a_hole_inside_a_packet_is_noticed(tmp_path: Path):
    """A decoder of VP9 makes a picture of zeros."""
    path = tmp_path / "hole.webm"
    noise = np.random.default_rng(0).integers(0, 256, (8, 48, 64, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=25, options={"crf": "4", "b": "0", "cpu-used": "8"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for image in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        largest = max((bytes(packet) for packet in container.demux(video=0) if packet.size), key=len)
    at = data.index(largest) + 600
    data[at : at + 512] = bytes(512)
    path.write_bytes(data)
    with pytest.raises(DecodeError, match="hole of zero bytes"):
        open_video(path)


def test_damage_elsewhere_does_not_matter(video, tmp_path: Path, reference):
    data = bytearray(video("h264_no_b").read_bytes())
    with av.open(str(video("h264_no_b"))) as container:
        last = [packet for packet in container.demux(video=0) if packet.size][-1]
    data[last.pos + 8 : last.pos + last.size] = bytes(last.size - 8)
    path = tmp_path / "end.mp4"
    path.write_bytes(data)
    with open_video(path) as opened:
        assert np.array_equal(opened.frames([5, 20]), [reference("h264_no_b")[index] for index in (5, 20)])
        with pytest.raises(DecodeError, match="damaged"):
            opened.frames([5, 59])


def test_the_error_travels_between_processes():
    error = DecodeError(Path("a b.mp4"), "missing")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.path, again.reason) == ("a b.mp4 cannot be decoded: missing.", "a b.mp4", "missing")
    assert isinstance(error, UserError)
    assert str(DecodeError("Caught DecodeError in a worker")) == "Caught DecodeError in a worker"  # torch's way


def test_an_unknown_back_end_is_an_error(video):
    with pytest.raises(UserError, match=r"backend \(ffmpeg\) must be one of"):
        open_video(video("h264_mp4"), "ffmpeg")


def test_torchcodec_works_or_says_why_not(video, reference):
    assert "torchcodec" in BACKENDS
    try:
        import torchcodec.decoders  # noqa: F401
    except (ImportError, RuntimeError, OSError):  # not there, or there without FFmpeg's libraries
        with pytest.raises(UserError, match=r"backend \('torchcodec'\) is .* backend='pyav'\.$"):
            open_video(video("h264_vfr_mp4"), "torchcodec")
        return
    with open_video(video("h264_vfr_mp4"), "torchcodec") as opened:
        assert opened.num_frames == 60
        assert np.array_equal(opened.frames([59, 7]), [reference("h264_vfr_mp4")[index] for index in (59, 7)])
