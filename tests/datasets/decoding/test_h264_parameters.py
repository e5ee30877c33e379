"""What the sequence parameter set says: fields or frames, and whether pictures change their order."""

from pathlib import Path

import av
import pytest

from cgc_video.datasets.decoding.h264_parameters import h264_is_interlaced, h264_keeps_order


def extradata_of(path: Path) -> bytes:
    with av.open(str(path)) as container:
        return bytes(container.streams.video[0].codec_context.extradata)


@pytest.mark.parametrize(
    ("name", "interlaced"),
    [("h264_mp4", False), ("h264_interlaced", True), ("h264_open_gop", False), ("h264_mkv", False)],
)
def test_interlacing_is_read_from_the_parameter_set(name: str, interlaced: bool, video):
    assert h264_is_interlaced(extradata_of(video(name))) == interlaced


def test_interlacing_is_read_behind_scaling_lists(tmp_path, make_video):
    make_video(tmp_path / "lists.mp4", "libx264", {"profile": "high", "x264-params": "cqm=jvt:tff=1"}, frames=4)
    assert h264_is_interlaced(extradata_of(tmp_path / "lists.mp4"))
    make_video(tmp_path / "plain.mp4", "libx264", {"profile": "high", "x264-params": "cqm=jvt"}, frames=4)
    assert not h264_is_interlaced(extradata_of(tmp_path / "plain.mp4"))


@pytest.mark.parametrize(
    ("name", "keeps"), [("h264_no_b", True), ("h264_all_key", True), ("h264_mp4", False), ("h264_open_gop", False)]
)
def test_the_order_of_pictures_is_read_from_the_parameter_set(name: str, keeps: bool, video):
    assert h264_keeps_order(extradata_of(video(name))) == keeps


def test_several_parameter_sets_prove_nothing(video):
    extradata = bytearray(extradata_of(video("h264_no_b")))
    for count in (0, 2):
        extradata[5] = 0xE0 | count
        assert not h264_keeps_order(bytes(extradata))
