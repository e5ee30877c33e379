"""The index from the tables of a file is that of demuxing it, or there is none."""

from contextlib import ExitStack
from pathlib import Path

import av
import numpy as np
import pytest

from cgc_video.datasets.decoding import mp4_table, packets
from cgc_video.datasets.decoding.container import open_stream
from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.decoding.mp4_table import may_have_table, read_table
from cgc_video.datasets.decoding.packets import PacketIndex, read_packets
from cgc_video.datasets.decoding.pyav_video import PyAVVideo
from cgc_video.datasets.decoding.time_limit import Deadline

pytestmark = pytest.mark.skipif(not hasattr(av.stream.Stream, "index_entries"), reason="PyAV before 17")

READ = ["h264_no_b", "h264_no_b_audio", "h264_no_b_mov", "h264_no_b_vfr", "h264_no_b_rotated", "h264_no_b_slices"]
READ += ["h264_all_key"]
REFUSED = ["h264_mp4", "h264_mov", "h264_order_lost", "h264_interlaced", "h264_no_b_edit_list", "h264_edit_list"]
REFUSED += ["h264_no_b_fragments", "h264_no_b_repeated", "h264_no_b_intra_refresh", "hevc_open_gop", "vp9_mp4"]
REFUSED += ["av1_mp4", "mpeg4_mp4_b", "h264_mkv", "vp9_webm", "h264_avi", "h264_ts", "mpeg2_mpg"]


@pytest.fixture
def by_table():
    """Reads the index of a file from its tables."""
    with ExitStack() as stack:

        def read(path: Path) -> PacketIndex | None:
            if not may_have_table(path):
                return None
            return read_table(str(path), *stack.enter_context(open_stream(path, by_tables=True)))

        yield read


@pytest.mark.parametrize("name", READ)
def test_the_index_is_that_of_demuxing(name: str, video, by_table):
    index = by_table(video(name))
    with open_stream(video(name)) as (container, stream):
        expected = read_packets(str(video(name)), container, stream, Deadline(video(name), None))
    for key in ("pts", "shown", "starts", "optional", "hidden", "keys"):
        assert np.array_equal(getattr(index, key), getattr(expected, key)), key
    assert index.why_not is expected.why_not is None
    assert [bytes(packet) for packet in index.packets] == [bytes(packet) for packet in expected.packets]
    assert [packet.pts for packet in index.packets] == [packet.pts for packet in expected.packets]


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_tables_do_not_prove_is_left_to_the_demuxer(name: str, video, by_table):
    assert by_table(video(name)) is None


@pytest.mark.parametrize("name", ["h264_no_b", "h264_no_b_rotated", "h264_no_b_vfr"])
def test_the_video_is_the_same_either_way(name: str, video, monkeypatch):
    with PyAVVideo(video(name)) as opened:
        assert isinstance(opened._index.packets, mp4_table.Packets)
        frames, fps, size = opened.frames([3, 40]), opened.fps, opened.size
    monkeypatch.setattr("cgc_video.datasets.decoding.pyav_video.may_have_table", lambda path: False)
    with PyAVVideo(video(name)) as opened:
        assert isinstance(opened._index.packets, list)
        assert (opened.fps, opened.size) == (fps, size)
        assert np.array_equal(opened.frames([3, 40]), frames)


def patched(source: Path, target: Path, *changes: tuple[bytes, int, bytes]) -> Path:
    """A copy with other bytes at some distance from the first place where a word stands."""
    data = bytearray(source.read_bytes())
    for word, distance, new in changes:
        at = data.index(word) + distance
        data[at : at + len(new)] = new
    target.write_bytes(data)
    return target


def test_key_frames_that_the_table_does_not_know(video, tmp_path, by_table, reference):
    path = patched(video("h264_no_b"), tmp_path / "all.mp4", (b"stss", 0, b"free"))  # every sample is one, this says
    assert by_table(path) is None
    with PyAVVideo(path) as opened:
        assert np.array_equal(opened.frames([13])[0], reference("h264_no_b")[13])


def test_two_descriptions_are_refused(video, tmp_path):
    assert not may_have_table(patched(video("h264_no_b"), tmp_path / "two.mp4", (b"stsd", 8, b"\0\0\0\2")))


def test_a_sample_beyond_the_end_is_refused(video, tmp_path, by_table):
    offset = video("h264_no_b").stat().st_size - 100
    path = patched(video("h264_no_b"), tmp_path / "far.mp4", (b"stco", 12, offset.to_bytes(4, "big")))
    assert by_table(path) is None


def test_a_hole_is_left_to_the_demuxer_which_names_it(video, tmp_path, by_table):
    with av.open(str(video("h264_no_b"))) as container:
        largest = max((packet for packet in container.demux(video=0) if packet.size), key=lambda packet: packet.size)
        position, size = largest.pos, largest.size
    assert size > 300
    data = bytearray(video("h264_no_b").read_bytes())
    data[position + size - 270 : position + size] = bytes(270)
    (tmp_path / "hole.mp4").write_bytes(data)
    assert by_table(tmp_path / "hole.mp4") is None
    with pytest.raises(DecodeError, match="hole of zero bytes"):
        PyAVVideo(tmp_path / "hole.mp4")


def test_zeros_count_within_a_packet_alone():
    data = b"a" * 10 + bytes(300) + b"a" * 10 + bytes(300) + b"a" * 10
    for spans, found in (
        ([(0, 10), (310, 320)], False),  # between packets
        ([(0, 200), (200, 320)], False),  # partly in one, partly in the next
        ([(0, 5), (5, 320)], True),
        ([(0, 20), (320, 630)], True),
        ([(620, 630), (0, 310)], True),  # in any order
        ([(620, 630)], False),
    ):
        first, end = np.array(spans).T
        assert mp4_table._has_hole(data, first, end) == found, spans


def test_a_large_file_is_left_to_the_demuxer(video, by_table, monkeypatch):
    monkeypatch.setattr(packets, "KEPT_BYTES", 1000)
    assert by_table(video("h264_no_b")) is None


def test_without_the_tables_of_pyav_nothing_is_tried(video, monkeypatch):
    class Stream:
        """As in PyAV before 17."""

    monkeypatch.setattr(av.stream, "Stream", Stream)
    assert not may_have_table(video("h264_no_b"))


def test_damaged_tables_are_named_by_the_ordinary_way(video, tmp_path):
    path = patched(video("h264_no_b"), tmp_path / "bad.mp4", (b"avcC", 4, bytes(20)))
    with pytest.raises(DecodeError), PyAVVideo(path) as opened:
        opened.frames([0])
