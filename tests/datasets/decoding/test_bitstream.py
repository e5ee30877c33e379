"""What the bytes of packets and files say."""

import av
import pytest

from cgc_video.datasets.decoding.bitstream import nal_length_size, read_picture, vp9_is_hidden
from cgc_video.datasets.decoding.structure import structure_fault


def packets_of(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        data = bytes(stream.codec_context.extradata or b"")
        return data, [packet for packet in container.demux(stream) if packet.size]


@pytest.mark.parametrize(
    ("name", "codec", "all_are_starts"),
    [
        ("h264_mp4", "h264", True),
        ("h264_open_gop", "h264", True),
        ("h264_intra_refresh", "h264", False),
        ("hevc_open_gop", "hevc", True),
        ("hevc_closed_gop", "hevc", True),
    ],
)
def test_key_frames_that_are_starting_points(name: str, codec: str, all_are_starts: bool, video):
    extradata, packets = packets_of(video(name))
    length_size = nal_length_size(codec, extradata)
    assert length_size == 4
    pictures = [read_picture(codec, bytes(packet), length_size) for packet in packets]
    keys = [picture.is_start for picture, packet in zip(pictures, packets, strict=True) if packet.is_keyframe]
    assert keys[0]
    assert len(keys) > 3
    assert all(keys) == all_are_starts
    others = [picture for picture, packet in zip(pictures, packets, strict=True) if not packet.is_keyframe]
    assert not any(picture.is_start for picture in others)
    if name != "h264_intra_refresh":
        assert any(not picture.is_reference for picture in others)


def test_temporal_layers_are_read(video):
    extradata, packets = packets_of(video("hevc_temporal_layers"))
    layers = {read_picture("hevc", bytes(packet), 4).layer for packet in packets}
    assert nal_length_size("hevc", extradata) == 4
    assert layers == {0, 1, 2}


def test_a_stream_without_configuration_record_has_no_length_size():
    assert nal_length_size("h264", None) is None
    assert nal_length_size("h264", b"\0\0\0\1\x67" + bytes(20)) is None


def test_a_packet_without_slice_is_no_picture():
    assert read_picture("h264", b"\0\0\0\2\x09\x10", 4) is None  # a delimiter alone
    assert read_picture("h264", bytes(64), 4) is None


def test_hidden_frames_of_vp9(video):
    assert not any(vp9_is_hidden(bytes(packet)) for packet in packets_of(video("vp9_altref"))[1])
    assert not vp9_is_hidden(bytes([0b10000010, 0x49]))  # profile 0, key frame, shown
    assert vp9_is_hidden(bytes([0b10000000, 0x49]))
    assert not vp9_is_hidden(bytes([0b10001000]))  # shows a frame that was hidden before
    assert vp9_is_hidden(bytes([0b10110000, 0x49]))  # profile 3
    assert not vp9_is_hidden(bytes([0b10110001, 0x49]))


@pytest.mark.parametrize("name", ["h264_mp4", "h264_mov", "h264_mkv", "vp9_webm", "h264_avi", "h264_ts", "mpeg2_mpg"])
def test_whole_files_have_no_fault(name: str, video):
    assert structure_fault(video(name)) is None


def test_every_cut_of_a_file_that_states_its_size_is_noticed(video, tmp_path):
    path = tmp_path / "cut"
    for name in ("h264_mp4", "h264_mkv", "vp9_webm"):
        data = video(name).read_bytes()
        for length in range(100, len(data) - 1, 97):
            path.write_bytes(data[:length])
            assert "truncated" in structure_fault(path), (name, length)


def test_bytes_behind_the_end_do_no_harm(video, tmp_path):
    path = tmp_path / "longer"
    for name in ("h264_mp4", "h264_mkv", "h264_avi"):
        path.write_bytes(video(name).read_bytes() + b"\0" * 100)
        assert structure_fault(path) is None


def test_a_recorded_stream_of_unknown_size_is_accepted(tmp_path, make_video, numbers):
    with av.open(str(tmp_path / "live.mkv"), "w", format="matroska", options={"live": "1"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    assert structure_fault(tmp_path / "live.mkv") is None
