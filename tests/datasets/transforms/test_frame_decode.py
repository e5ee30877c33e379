"""``FrameDecode`` stands in for ``RawFrameDecode``."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.transforms.frame_decode import FrameDecode
from cgc_video.errors import UserError

SEGMENTS = dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=8)
CLIPS = dict(type="SampleFrames", clip_len=32, frame_interval=2, num_clips=2, test_mode=True)
needs_simplejpeg = pytest.mark.skipif(
    importlib.util.find_spec("simplejpeg") is None, reason="simplejpeg, an optional package, is not installed"
)
both = pytest.mark.parametrize("backend", ["cv2", pytest.param("simplejpeg", marks=needs_simplejpeg)])


@both
@pytest.mark.parametrize("sampler", [SEGMENTS, CLIPS], ids=["segments", "clips"])
def test_the_sample_is_that_of_the_stock_step(backend: str, sampler: dict, run, frames_sample):
    expected = run([sampler, dict(type="RawFrameDecode")], frames_sample)
    actual = run([sampler, dict(type="FrameDecode", backend=backend)], frames_sample)
    assert np.array_equal(actual["imgs"], expected["imgs"])
    assert set(actual) == set(expected)
    for key in ("original_shape", "img_shape"):
        assert actual[key] == expected[key]
    assert len({image.ctypes.data for image in actual["imgs"]}) == len(actual["imgs"])


@both
def test_planned_steps_are_done_to_each_frame(backend: str, run, frames_sample):
    planned = [
        dict(type="Resize", scale=(-1, 64), lazy=True),
        dict(type="MultiScaleCrop", input_size=48, scales=(1, 0.66), num_fixed_crops=13, lazy=True),
        dict(type="Resize", scale=(48, 48), keep_ratio=False, lazy=True),
        dict(type="Flip", flip_ratio=0.5, lazy=True),
    ]
    expected = run([SEGMENTS, dict(type="RawFrameDecode"), *planned, dict(type="Fuse")], frames_sample)["imgs"]
    steps = [SEGMENTS, dict(type="FrameOpen"), *planned]
    actual = run([*steps, dict(type="FrameDecode", backend=backend, reduce=False)], frames_sample)
    assert np.array_equal(actual["imgs"], expected)
    assert (actual["original_shape"], actual["img_shape"]) == ((96, 128), (48, 48))


@both
def test_a_large_frame_is_decoded_at_a_part_of_its_size(backend: str, run, frames_sample):
    planned = [dict(type="FrameOpen"), SEGMENTS, dict(type="Resize", scale=(-1, 24), lazy=True)]
    full = run([*planned, dict(type="FrameDecode", backend=backend, reduce=False)], frames_sample)
    reduced = run([*planned, dict(type="FrameDecode", backend=backend)], frames_sample)
    assert reduced["imgs"][0].shape == full["imgs"][0].shape == (24, 32, 3)
    assert reduced["original_shape"] == full["original_shape"] == (96, 128)
    difference = np.abs(np.array(reduced["imgs"], int) - np.array(full["imgs"])).mean()
    assert 0 < difference < 4


def test_an_offset_into_a_folder(run, frames_sample):
    sample = dict(frames_sample, offset=10, total_frames=20)
    expected = run([SEGMENTS, dict(type="RawFrameDecode")], sample)["imgs"]
    assert np.array_equal(run([SEGMENTS, dict(type="FrameDecode")], sample)["imgs"], expected)


def test_a_missing_or_damaged_frame_is_named(run, frames_sample, clip_folder: Path, tmp_path: Path):
    with pytest.raises(DecodeError, match=r"00051.jpg cannot be decoded: missing"):
        run(
            [dict(SEGMENTS, num_clips=100, test_mode=True), dict(type="FrameDecode")],
            dict(frames_sample, total_frames=51),
        )
    folder = shutil.copytree(clip_folder, tmp_path / "clip")
    data = (folder / "00003.jpg").read_bytes()
    (folder / "00003.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(DecodeError, match=r"00003.jpg cannot be decoded: truncated"):
        run([CLIPS, dict(type="FrameDecode", backend="cv2")], dict(frames_sample, frame_dir=str(folder)))


def test_frames_of_different_sizes_are_refused(run, frames_sample, clip_folder: Path, tmp_path: Path):
    import cv2

    folder = shutil.copytree(clip_folder, tmp_path / "clip")
    cv2.imwrite(str(folder / "00003.jpg"), np.zeros((50, 60, 3), np.uint8))
    with pytest.raises(DecodeError, match="frames of different sizes"):
        run([CLIPS, dict(type="FrameDecode")], dict(frames_sample, frame_dir=str(folder)))
    # planned to one size, they agree
    planned = [dict(type="FrameOpen"), CLIPS, dict(type="Resize", scale=(40, 30), keep_ratio=False, lazy=True)]
    images = run([*planned, dict(type="FrameDecode")], dict(frames_sample, frame_dir=str(folder)))["imgs"]
    assert {image.shape for image in images} == {(30, 40, 3)}


def test_what_the_step_refuses(run, frames_sample):
    with pytest.raises(UserError, match=r"backend \(turbojpeg\) must be one of"):
        FrameDecode("turbojpeg")
    with pytest.raises(UserError, match=r"modality \(Flow\) must be RGB"):
        run([SEGMENTS, dict(type="FrameDecode")], dict(frames_sample, modality="Flow"))
    assert repr(FrameDecode()) == "FrameDecode(backend='auto', unique=False, reduce=True)"
