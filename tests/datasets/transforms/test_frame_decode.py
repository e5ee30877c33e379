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


CHAINS = {
    "training": [
        dict(type="Resize", scale=(-1, 64)),
        dict(type="MultiScaleCrop", input_size=48, scales=(1, 0.66), num_fixed_crops=13),
        dict(type="Resize", scale=(48, 48), keep_ratio=False),
        dict(type="Flip", flip_ratio=1.0),
    ],
    "testing": [dict(type="Resize", scale=(-1, 64), interpolation="bicubic"), dict(type="CenterCrop", crop_size=48)],
    "inception": [
        dict(type="RandomResizedCrop"),
        dict(type="Resize", scale=(56, 56), keep_ratio=False),
        dict(type="Flip", flip_ratio=1.0, direction="vertical"),
    ],
    "crops and resizes in turn": [
        dict(type="RandomCrop", size=90),
        dict(type="Resize", scale=(70, 60), keep_ratio=False),
        dict(type="RandomCrop", size=50),
        dict(type="Resize", scale=(64, 64), keep_ratio=False, interpolation="nearest"),
    ],
    "a crop alone": [dict(type="CenterCrop", crop_size=(50, 40)), dict(type="Flip", flip_ratio=1.0)],
    "a size that is there already": [dict(type="Resize", scale=(-1, 96)), dict(type="Flip", flip_ratio=1.0)],
    "nothing": [],
}


@both
@pytest.mark.parametrize("sampler", [SEGMENTS, CLIPS], ids=["segments", "clips"])
@pytest.mark.parametrize("chain", CHAINS)
def test_steps_carried_out_one_by_one_have_the_pixels_of_the_same_steps(
    backend: str, sampler: dict, chain: str, run, frames_sample
):
    expected = run([sampler, dict(type="RawFrameDecode"), *CHAINS[chain]], frames_sample)
    lazy = [dict(step, lazy=True) for step in CHAINS[chain]]
    steps = [sampler, dict(type="FrameOpen"), *lazy, dict(type="FrameDecode", backend=backend, exact=True)]
    actual = run(steps, frames_sample)
    assert np.array_equal(actual["imgs"], expected["imgs"])
    assert set(actual) == set(expected)
    for key in ("original_shape", "img_shape"):
        assert actual[key] == expected[key]


@both
def test_planned_frames_are_one_array_as_formatting_wants_them(backend: str, run, frames_sample):
    """Each once or, where a clip takes one twice, a list of which no two share memory."""
    planned = [dict(type="FrameOpen"), SEGMENTS, dict(type="Resize", scale=(-1, 64), lazy=True)]
    steps = [*planned, dict(type="FrameDecode", backend=backend, exact=True)]
    assert isinstance(run(steps, frames_sample)["imgs"], np.ndarray)
    images = run(steps, dict(frames_sample, total_frames=4))["imgs"]
    assert not any(np.shares_memory(images[0], image) for image in images[1:])
    behind = [dict(type="Flip", flip_ratio=1.0), dict(type="FormatShape", input_format="NCHW")]
    stock = [SEGMENTS, dict(type="RawFrameDecode"), dict(type="Resize", scale=(-1, 64)), *behind]
    for count in (4, 50):
        sample = dict(frames_sample, total_frames=count)
        assert np.array_equal(run([*steps, *behind], sample)["imgs"], run(stock, sample)["imgs"])


def test_exact_wants_to_have_seen_the_steps(run, frames_sample):
    steps = [SEGMENTS, dict(type="Resize", scale=(-1, 64), lazy=True), dict(type="FrameDecode", exact=True)]
    with pytest.raises(UserError, match="put FrameOpen before the first of them"):
        run(steps, dict(frames_sample, img_shape=(96, 128)))


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
    for exact in (False, True):
        steps = [*planned, dict(type="FrameDecode", exact=exact)]
        images = run(steps, dict(frames_sample, frame_dir=str(folder)))["imgs"]
        assert {image.shape for image in images} == {(30, 40, 3)}
    planned[-1] = dict(type="CenterCrop", crop_size=64, lazy=True)
    with pytest.raises(DecodeError, match=r"frames of different sizes \(\[\(34, 28\), \(64, 64\)\]\)"):
        run([*planned, dict(type="FrameDecode", exact=True)], dict(frames_sample, frame_dir=str(folder)))


def test_what_the_step_refuses(run, frames_sample):
    with pytest.raises(UserError, match=r"backend \(turbojpeg\) must be one of"):
        FrameDecode("turbojpeg")
    with pytest.raises(UserError, match=r"modality \(Flow\) must be RGB"):
        run([SEGMENTS, dict(type="FrameDecode")], dict(frames_sample, modality="Flow"))
    assert repr(FrameDecode()) == "FrameDecode(backend='auto', unique=False, reduce=True, exact=False)"
