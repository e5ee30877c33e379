"""Which files decord and torchcodec get wrong is told by kind, and said once."""

import numpy as np
import pytest

from cgc_video.datasets.decoding import advice
from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.decoding.video import open_video

try:
    import torchcodec.decoders  # noqa: F401
except (ImportError, RuntimeError, OSError):
    torchcodec = None
needs_torchcodec = pytest.mark.skipif(torchcodec is None, reason="torchcodec, or FFmpeg's libraries, not installed")

KINDS = {
    "h264_mp4": None,
    "h264_long_gop": None,
    "h264_vfr_mkv": None,
    "h264_rotated_90": None,
    "hevc_closed_gop": None,
    "vp9_webm": None,
    "vp8_webm": None,
    "mpeg4_avi": None,
    "mjpeg_avi": None,
    "h264_open_gop": "H.264 with open GOPs",
    "h264_intra_refresh": "H.264 whose key frames are not all starting points",
    "h264_avi": "H.264 in AVI",
    "h264_ts": "H.264 in mpegts files",
    "h264_doubled_mkv": "time stamps that are missing or doubled",
    "h264_edit_list": "MP4 with an edit list that leaves frames out",
    "hevc_open_gop": "HEVC with open GOPs",
    "mpeg4_avi_b": "MPEG-4 with B-frames in AVI",
    "mpeg4_mp4_b": "MPEG-4 with open GOPs",
    "mpeg2_ts": "mpeg2video in mpegts files",
    "mpeg2_mpg": "mpeg2video in mpeg files",
    "av1_mp4": "AV1 (it cannot open it)",
}


# torchcodec shares the rules for containers and time stamps; it reads AV1, edit lists and open GOPs well
WELL_READ_BY_TORCHCODEC = ["h264_open_gop", "hevc_open_gop", "mpeg4_mp4_b", "h264_edit_list", "av1_mp4"]


def _kind(name: str, backend: str) -> str | None:
    return None if backend == "torchcodec" and name in WELL_READ_BY_TORCHCODEC else KINDS[name]


@pytest.mark.parametrize("backend", advice.RISKS)
@pytest.mark.parametrize("name", KINDS)
def test_the_kinds(name: str, backend: str, video):
    assert advice.risk(video(name), backend) == _kind(name, backend)


@pytest.mark.parametrize("backend", ["decord", pytest.param("torchcodec", marks=needs_torchcodec)])
@pytest.mark.parametrize("name", KINDS)
def test_the_kinds_are_those_that_it_gets_wrong(name: str, backend: str, video, reference):
    if backend == "decord" and "AV1" in str(KINDS[name]):
        with pytest.raises(DecodeError):
            open_video(video(name), backend)
        return
    expected = reference(name)
    with open_video(video(name), backend) as opened:
        indices = [int(i) for i in np.random.default_rng(0).permutation(len(expected)) if i < opened.num_frames]
        right = opened.num_frames == len(expected) and all(_same(opened, i, expected[i]) for i in indices)
    assert right == (_kind(name, backend) is None)


def _same(opened, index: int, expected: np.ndarray) -> bool:
    try:
        frame = opened.frames([index])[0]
    except DecodeError:  # torchcodec finds no frame behind a time stamp that it has miscounted
        return False
    return frame.shape == expected.shape and np.abs(frame.astype(np.int16) - expected).mean() < 8


def test_it_is_said_once_and_names_the_way_out(video, monkeypatch):
    said = []
    monkeypatch.setattr(advice, "_SAID", set())
    monkeypatch.setattr(advice, "_SEEN", 0)
    monkeypatch.setattr("mmengine.logging.print_log", lambda message, **_: said.append(message))
    for name in ("h264_mp4", "h264_open_gop", "hevc_open_gop", "h264_open_gop"):
        advice.warn_about(video(name), "decord")
    assert len(said) == 2
    assert "H.264 with open GOPs" in said[0]
    assert "h264_open_gop.mp4" in said[0]
    assert "backend='pyav'" in said[0]


def test_the_first_files_alone_are_looked_at(video, monkeypatch):
    monkeypatch.setattr(advice, "_SEEN", advice.LOOKED_AT)
    monkeypatch.setattr(advice, "risk", lambda *_: pytest.fail("looked at"))
    advice.warn_about(video("h264_open_gop"), "decord")


def test_a_file_that_cannot_be_opened_is_left_to_the_reader(tmp_path, monkeypatch):
    monkeypatch.setattr(advice, "_SEEN", 0)
    advice.warn_about(tmp_path / "missing.mp4", "decord")
