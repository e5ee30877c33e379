"""``VideoOpen`` and ``VideoDecode`` stand in for ``DecordInit`` and ``DecordDecode``."""

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.transforms.video_decode import VideoDecode, VideoOpen
from cgc_video.errors import UserError

SEGMENTS = dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=8)
CLIPS = dict(type="SampleFrames", clip_len=16, frame_interval=2, num_clips=3, test_mode=True)
DENSE = dict(
    type="DenseSampleFrames", clip_len=1, frame_interval=1, num_clips=4, num_sample_positions=5, sample_range=30
)
UNIFORM = dict(type="UniformSample", clip_len=12)
STOCK = [dict(type="DecordInit"), dict(type="DecordDecode")]


def around(steps: list[dict], sampler: dict, *behind: dict) -> list[dict]:
    """The sampling step goes between the two others."""
    return [steps[0], sampler, steps[1], *behind]


def ours(backend: str = "pyav", **kwargs) -> list[dict]:
    return [dict(type="VideoOpen", backend=backend), dict(type="VideoDecode", **kwargs)]


@pytest.mark.parametrize("backend", ["pyav", "decord", "opencv"])
@pytest.mark.parametrize(
    "sampler", [SEGMENTS, CLIPS, DENSE, dict(DENSE, test_mode=True), UNIFORM], ids=lambda s: s["type"]
)
def test_the_sample_is_that_of_the_stock_steps(backend: str, sampler: dict, run, video_sample):
    expected = run(around(STOCK, sampler), video_sample)
    actual = run(around(ours(backend), sampler), video_sample)
    assert np.array_equal(actual["frame_inds"], expected["frame_inds"])
    assert np.array_equal(actual["imgs"], expected["imgs"])
    for key in ("total_frames", "avg_fps", "original_shape", "img_shape", "num_clips", "clip_len"):
        assert actual[key] == expected[key], key
    assert set(actual) | {"video_reader"} == set(expected)


def test_the_whole_training_pipeline_gives_the_same_tensor(run, video_sample):
    behind = [
        dict(type="Resize", scale=(-1, 64)),
        dict(type="MultiScaleCrop", input_size=48, scales=(1, 0.875, 0.75, 0.66), num_fixed_crops=13),
        dict(type="Resize", scale=(48, 48), keep_ratio=False),
        dict(type="Flip", flip_ratio=0.5),
        dict(type="FormatShape", input_format="NCHW"),
        dict(type="PackActionInputs"),
    ]
    expected = run(around(STOCK, SEGMENTS, *behind), video_sample)["inputs"]
    actual = run(around(ours(), SEGMENTS, *behind), video_sample)["inputs"]
    assert actual.shape == (8, 3, 48, 48)
    assert np.array_equal(actual, expected)


@pytest.mark.parametrize("option", ["loop", "repeat_last"])
def test_a_clip_longer_than_the_video_starts_over_or_holds_the_last_frame(option: str, run, video_sample):
    sampler = dict(type="SampleFrames", clip_len=64, frame_interval=1, num_clips=1, out_of_bound_opt=option)
    images = run(around(ours(), sampler), video_sample)["imgs"]
    assert len(images) == 64
    assert np.array_equal(images[50], images[0 if option == "loop" else 49])
    assert np.array_equal(images[63], images[13 if option == "loop" else 49])
    images[50][:] = 0  # as a later step may work in place
    assert images[0].any()
    assert images[49].any()


@pytest.mark.parametrize("backend", ["pyav", "decord", "opencv"])
def test_resizing_while_decoding_gives_the_pixels_of_resizing_afterwards(backend: str, run, video_sample):
    resize = dict(type="Resize", scale=(-1, 64))
    expected = run(around(STOCK, CLIPS, resize), video_sample)
    steps = [dict(type="VideoOpen", backend=backend, with_size=True), CLIPS, dict(resize, lazy=True)]
    actual = run([*steps, dict(type="VideoDecode")], video_sample)
    assert np.array_equal(actual["imgs"], expected["imgs"])
    assert actual["img_shape"] == expected["img_shape"] == (64, 85)
    assert actual["original_shape"] == expected["original_shape"]
    assert "lazy" not in actual


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_a_planned_crop_gives_the_pixels_of_the_fuse_step(flip: float, run, video_sample):
    planned = [
        dict(type="Resize", scale=(-1, 64), lazy=True),
        dict(type="MultiScaleCrop", input_size=48, scales=(1, 0.66), num_fixed_crops=13, lazy=True),
        dict(type="Resize", scale=(48, 48), keep_ratio=False, lazy=True),
        dict(type="Flip", flip_ratio=flip, lazy=True),
    ]
    expected = run(around(STOCK, SEGMENTS, *planned, dict(type="Fuse")), video_sample)["imgs"]
    opened = dict(type="VideoOpen", with_size=True)
    actual = run([opened, SEGMENTS, *planned, dict(type="VideoDecode")], video_sample)["imgs"]
    assert np.array_equal(actual, expected)
    eager = [{key: value for key, value in step.items() if key != "lazy"} for step in planned]
    stock = run(around(STOCK, SEGMENTS, *eager), video_sample)["imgs"]
    assert np.abs(np.array(actual, int) - np.array(stock)).mean() < 6  # close, and not the same


def test_frames_can_be_kept_once(run, video_sample):
    expected = run(around(STOCK, CLIPS), video_sample)["imgs"]
    sample = run(around(ours(unique=True), CLIPS), video_sample)
    assert len(sample["imgs"]) < len(sample["frame_places"]) == 48
    assert np.array_equal(sample["imgs"][sample["frame_places"]], expected)


def test_the_decoding_step_opens_the_video_where_nobody_did(run, video_sample):
    sample = dict(video_sample, total_frames=50)
    actual = run([SEGMENTS, dict(type="VideoDecode", backend="pyav")], sample)["imgs"]
    assert np.array_equal(actual, run(around(STOCK, SEGMENTS), video_sample)["imgs"])


def test_a_broken_file_is_named(run, video_sample, tmp_path):
    with pytest.raises(DecodeError, match=r"none.mp4 cannot be decoded: missing\.$"):
        run(around(ours(), SEGMENTS), dict(video_sample, filename=str(tmp_path / "none.mp4")))


def test_what_the_steps_refuse(run, video_sample):
    with pytest.raises(UserError, match=r"backend \(ffmpeg\) must be one of"):
        VideoOpen("ffmpeg")
    with pytest.raises(UserError, match=r"backend \(ffmpeg\) must be one of"):
        VideoDecode("ffmpeg")
    with pytest.raises(UserError, match=r"time_limit \(0\) must be more than 0"):
        VideoOpen(time_limit=0)
    with pytest.raises(UserError, match="gt_bboxes"):
        run(around(ours(), SEGMENTS), dict(video_sample, gt_bboxes=np.zeros((1, 4))))
    assert repr(VideoOpen()) == "VideoOpen(backend='pyav', time_limit=60.0, with_size=False)"
    assert repr(VideoDecode()) == "VideoDecode(backend=None, time_limit=60.0, unique=False)"


class _Samples:
    """A data set of the same file over and over."""

    def __init__(self, steps, sample, run) -> None:
        self.steps, self.sample, self.run = steps, sample, run

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict:
        return self.run(self.steps, self.sample)


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_workers_decode_after_their_parent_has(backend: str, run, video_sample):
    """decord hangs where a reader crosses the fork."""
    pack = [dict(type="FormatShape", input_format="NCHW"), dict(type="PackActionInputs")]
    samples = _Samples(around(ours(backend), SEGMENTS, *pack), video_sample, run)
    expected = samples[0]["inputs"]
    loader = DataLoader(samples, batch_size=2, num_workers=2, collate_fn=pseudo_collate, timeout=60)
    inputs = [tensor for batch in loader for tensor in batch["inputs"]]
    assert len(inputs) == 8
    assert all(np.array_equal(tensor, expected) for tensor in inputs)


def test_a_name_without_suffix_is_an_mp4_file(run, video_sample):
    expected = run(around(ours(), SEGMENTS), video_sample)["imgs"]
    sample = dict(video_sample, filename=video_sample["filename"].removesuffix(".mp4"))
    assert np.array_equal(run(around(ours(), SEGMENTS), sample)["imgs"], expected)
