"""Which files decord gets wrong is told by kind, and said once."""

import numpy as np
import pytest

from cgc_video.datasets.decoding import advice
from cgc_video.datasets.decoding.video import open_video

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


@pytest.mark.parametrize("name", KINDS)
def test_the_kinds(name: str, video):
    assert advice.decord_risk(video(name)) == KINDS[name]


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if "AV1" not in str(kind)])
def test_the_kinds_are_those_that_it_gets_wrong(name: str, video, reference):
    expected = reference(name)
    with open_video(video(name), "decord") as opened:
        indices = [int(i) for i in np.random.default_rng(0).permutation(len(expected)) if i < opened.num_frames]
        frames = (opened.frames([index])[0].astype(np.int16) for index in indices)
        same = [np.abs(frame - expected[index]).mean() < 8 for frame, index in zip(frames, indices, strict=True)]
        right = all(same) and opened.num_frames == len(expected)
    assert right == (KINDS[name] is None)


def test_it_is_said_once_and_names_the_way_out(video, monkeypatch):
    said = []
    monkeypatch.setattr(advice, "_SAID", set())
    monkeypatch.setattr(advice, "_SEEN", 0)
    monkeypatch.setattr("mmengine.logging.print_log", lambda message, **_: said.append(message))
    for name in ("h264_mp4", "h264_open_gop", "hevc_open_gop", "h264_open_gop"):
        advice.warn_about_decord(video(name))
    assert len(said) == 2
    assert "H.264 with open GOPs" in said[0]
    assert "h264_open_gop.mp4" in said[0]
    assert "backend='pyav'" in said[0]


def test_the_first_files_alone_are_looked_at(video, monkeypatch):
    monkeypatch.setattr(advice, "_SEEN", advice.LOOKED_AT)
    monkeypatch.setattr(advice, "decord_risk", lambda path: pytest.fail("looked at"))
    advice.warn_about_decord(video("h264_open_gop"))


def test_a_file_that_cannot_be_opened_is_left_to_the_reader(tmp_path, monkeypatch):
    monkeypatch.setattr(advice, "_SEEN", 0)
    advice.warn_about_decord(tmp_path / "missing.mp4")
