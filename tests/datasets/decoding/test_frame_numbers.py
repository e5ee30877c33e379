"""Frame i is the i-th frame of a sequential decode: every index of every kind of file, each asked for on its own."""

from pathlib import Path

import av
import numpy as np
import pytest

from cgc_video.datasets.decoding import packets
from cgc_video.datasets.decoding.pyav_video import PyAVVideo
from cgc_video.datasets.decoding.selective import segments
from cgc_video.datasets.decoding.video import open_video

FILES = [
    "h264_mp4",
    "h264_long_gop",
    "h264_no_b",
    "h264_no_b_audio",
    "h264_no_b_mov",
    "h264_no_b_vfr",
    "h264_no_b_rotated",
    "h264_no_b_edit_list",
    "h264_no_b_fragments",
    "h264_no_b_repeated",
    "h264_no_b_slices",
    "h264_no_b_intra_refresh",
    "h264_all_key",
    "h264_mkv",
    "h264_mov",
    "h264_open_gop",
    "h264_intra_refresh",
    "h264_interlaced",
    "h264_avi",
    "h264_ts",
    "h264_ts_cut_start",
    "h264_ts_two_sizes",
    "h264_vfr_mp4",
    "h264_vfr_mkv",
    "h264_doubled_mkv",
    "h264_edit_list",
    "h264_rotated_90",
    "h264_rotated_180",
    "h264_rotated_270",
    "h264_order_lost",
    "hevc_order_lost",
    "hevc_open_gop",
    "hevc_closed_gop",
    "hevc_ten_bits",
    "hevc_temporal_layers",
    "vp9_webm",
    "vp9_altref",
    "vp9_mp4",
    "vp9_two_sizes",
    "vp8_webm",
    "av1_mp4",
    "av1_webm",
    "mpeg4_avi_b",
    "mpeg4_mp4_b",
    "mpeg4_avi",
    "mpeg2_ts",
    "mpeg2_mpg",
    "mjpeg_avi",
]
SELECTIVE = [name for name in FILES if name.split("_")[0] in ("h264", "hevc", "vp9")]
SELECTIVE = [
    n
    for n in SELECTIVE
    if not any(word in n for word in ("avi", "_ts", "interlaced", "doubled", "two_sizes", "order_lost"))
]
# the frames that files start and end with, where not all of 0 to 59
SHOWN = {"h264_edit_list": (7, 59), "h264_no_b_edit_list": (7, 59), "h264_ts_cut_start": (16, 59)}


def wrong_frames(video, reference: list[np.ndarray], tolerance: float = 0.0) -> list[int]:
    """Indices that differ from the sequential decode, each asked for alone, in a random order."""
    wrong = []
    for index in np.random.default_rng(0).permutation(len(reference)):
        frame = video.frames([index])[0].astype(np.int16)
        if frame.shape != reference[index].shape or np.abs(frame - reference[index]).mean() > tolerance:
            wrong.append(int(index))
    return sorted(wrong)


@pytest.mark.parametrize("name", FILES)
def test_pyav_returns_every_frame_by_its_number(name: str, video, reference, numbers):
    expected = reference(name)
    with open_video(video(name)) as opened:
        assert opened.num_frames == len(expected)
        assert opened.size == expected[0].shape[:2]
        assert wrong_frames(opened, expected) == []
        if "rotated" not in name:  # the files are what they were made to be, too
            first, last = SHOWN.get(name, (0, 59))
            assert [numbers(frame) for frame in expected] == list(range(first, last + 1))


@pytest.mark.parametrize("name", FILES)
def test_only_what_an_index_can_be_trusted_for_is_decoded_selectively(name: str, video):
    with PyAVVideo(video(name)) as opened:
        opened.frames([opened.num_frames - 1])
        assert (opened.why_sequential is None) == (name in SELECTIVE)


@pytest.mark.parametrize("name", FILES)
def test_opencv_returns_every_frame_by_its_number(name: str, video, reference):
    if "av1" in name or "two_sizes" in name:
        pytest.skip("OpenCV cannot read AV1 in software, and repeats a frame where the resolution changes")
    with open_video(video(name), "opencv") as opened:
        assert opened.num_frames == len(reference(name))
        indices = np.random.default_rng(0).permutation(len(reference(name)))
        for frame, index in zip(opened.frames(indices), indices, strict=True):
            # 10-bit and interlaced colours are interpolated in another way
            tolerance = 8 if "ten_bits" in name else 1 if "interlaced" in name else 0
            assert np.abs(frame.astype(np.int16) - reference(name)[index]).mean() <= tolerance


DECORD_IS_RIGHT = ["h264_mp4", "h264_long_gop", "h264_mkv", "h264_vfr_mkv", "hevc_closed_gop", "vp9_webm", "vp8_webm"]
DECORD_IS_RIGHT += ["h264_rotated_90", "h264_rotated_180", "h264_interlaced", "mpeg4_avi", "mjpeg_avi"]
DECORD_IS_WRONG = ["h264_open_gop", "h264_intra_refresh", "h264_avi", "hevc_open_gop", "mpeg4_avi_b", "mpeg4_mp4_b"]


@pytest.mark.parametrize("name", DECORD_IS_RIGHT)
def test_decord_returns_every_frame_by_its_number_in_the_files_it_reads_well(name: str, video, reference):
    with open_video(video(name), "decord") as opened:
        assert opened.num_frames == len(reference(name))
        assert wrong_frames(opened, reference(name), tolerance=1.0) == []


@pytest.mark.parametrize("name", DECORD_IS_WRONG)
def test_decord_is_obeyed_where_it_is_wrong(name: str, video, reference):
    with open_video(video(name), "decord") as opened:
        assert wrong_frames(opened, reference(name), tolerance=8.0)


@pytest.mark.parametrize("backend", ["pyav", "decord", "opencv"])
def test_several_indices_in_any_order_and_twice(backend: str, video, reference):
    indices = [40, 3, 3, 59, 0, 40]
    with open_video(video("h264_mp4"), backend) as opened:
        frames = opened.frames(indices)
    assert frames.dtype == np.uint8
    assert all(
        np.array_equal(frame, reference("h264_mp4")[index]) for frame, index in zip(frames, indices, strict=True)
    )
    frames[1] = 0
    assert frames[2].any()  # no two share memory


@pytest.mark.parametrize("backend", ["pyav", "decord", "opencv"])
@pytest.mark.parametrize("indices", [[], [-1], [60]], ids=str)
def test_an_index_out_of_range_is_an_error(backend: str, indices: list[int], video):
    with open_video(video("h264_mp4"), backend) as opened, pytest.raises(ValueError, match="must lie in 0 to 59"):
        opened.frames(indices)


@pytest.mark.parametrize("backend", ["pyav", "decord", "opencv"])
def test_frames_are_finished_one_by_one(backend: str, video, reference):
    with open_video(video("h264_mp4"), backend) as opened:
        corners = opened.frames([5, 50, 5], finish=lambda image: image[:8, :8])
    assert np.array_equal(corners, [reference("h264_mp4")[index][:8, :8] for index in (5, 50, 5)])


def test_a_large_file_is_read_twice_rather_than_kept(video, reference, monkeypatch):
    monkeypatch.setattr(packets, "KEPT_BYTES", 0)
    for name in ("h264_mp4", "mpeg4_avi_b"):
        with PyAVVideo(video(name)) as opened:
            assert opened._index.packets is None
            assert wrong_frames(opened, reference(name)) == []


def test_only_the_needed_packets_are_decoded(video):
    with PyAVVideo(video("h264_no_b")) as opened:  # a key frame every eight, and where all bits change
        starts = list(opened._index.starts)
        assert segments(opened._index, [starts[2] + 1]) == [(starts[2], starts[2] + 1)]
        assert segments(opened._index, [0, 59]) == [(0, 0), (starts[-1], 59)]
        assert segments(opened._index, [starts[2] - 1, starts[2]]) == [(starts[1], starts[2])]  # one run


@pytest.mark.parametrize("name", ["h264_open_gop", "hevc_open_gop"])
def test_a_leading_picture_is_reached_from_the_key_frame_before(name: str, video):
    with PyAVVideo(video(name)) as opened:
        index = opened._index
        leading = [p for p in range(60) if index.start_for(p) != index.starts[index.starts <= p][-1]]
        assert leading
        assert all(index.pts[index.start_for(p)] <= index.pts[p] for p in leading)


def test_a_wrong_index_is_noticed(video, reference, monkeypatch):
    """Were the last packet of another GOP taken for a starting point, the decoder would say so."""
    with PyAVVideo(video("h264_long_gop")) as opened:
        opened._index.starts = np.arange(60)
        assert wrong_frames(opened, reference("h264_long_gop")) == []
        assert opened.why_sequential == "the decoder disagrees with its index"


@pytest.mark.parametrize("name", ["demo.mp4", "test.mp4", "test.avi"])
def test_real_clips(name: str, clips: Path, all_frames):
    expected = all_frames(clips / name)
    with open_video(clips / name) as opened:
        assert opened.num_frames == len(expected)
        for index in range(0, len(expected), 10):
            assert np.array_equal(opened.frames([index])[0], expected[index])


@pytest.mark.parametrize("backend", ["pyav", "decord", "opencv"])
def test_odd_file_names(backend: str, video, reference, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("12:30 é.mp4", "http:a%d.mp4", "-i.mp4"):
        (tmp_path / name).write_bytes(video("h264_mp4").read_bytes())
        with open_video(name, backend) as opened:
            assert np.array_equal(opened.frames([9])[0], reference("h264_mp4")[9])


@pytest.mark.parametrize(("backend", "agrees"), [("pyav", True), ("decord", True), ("opencv", False)])
def test_colours_follow_the_tags_of_the_file(backend: str, agrees: bool, tmp_path: Path, all_frames):
    """OpenCV takes every file for BT.601."""
    path = tmp_path / "bt709.mp4"
    image = np.zeros((48, 64, 3), np.uint8)
    image[..., 0] = 200
    with av.open(str(path), "w") as container:
        options = {"x264-params": "colormatrix=bt709:colorprim=bt709:transfer=bt709"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with open_video(path, backend) as opened:
        difference = np.abs(opened.frames([0])[0].astype(int) - image).mean()
    assert (difference < 3) == agrees
    assert np.abs(all_frames(path)[0].astype(int) - image).mean() < 3
