"""``num_segments`` against sampled frames."""

import pytest
from mmengine.config import Config

from cgc_video.engine.checks.segments import check_segments, sampled_frames
from cgc_video.errors import UserError


def dataset(**sampling) -> dict:
    steps = [dict(type="DecordInit"), dict(type="SampleFrames", **sampling), dict(type="Flip")]
    return dict(type="VideoDataset", pipeline=steps)


def config(num_segments: int, kind: str = "Recognizer2D", **sampling) -> Config:
    loader = dict(dataset=dict(type="RepeatDataset", times=2, dataset=dataset(**sampling)))
    model = dict(type=kind, backbone=dict(num_segments=num_segments))
    return Config(dict(model=model, train_dataloader=loader, test_dataloader=loader))


def test_sampled_frames():
    assert sampled_frames(dataset(clip_len=1, num_clips=8)) == [8]
    assert sampled_frames(dataset(clip_len=1, num_clips=8, twice_sample=True)) == [16]
    assert sampled_frames(dataset(clip_len=1, num_clips=8, twice_sample=True), views=False) == [8]
    assert sampled_frames(dataset(clip_len=32, frame_interval=2, num_clips=10)) == [320]


def test_training_needs_equality_and_testing_division():
    check_segments(config(8, clip_len=1, num_clips=8), ("train", "test"))
    check_segments(config(8, clip_len=1, num_clips=16), ("test",))
    with pytest.raises(UserError, match=r"num_segments \(8\) must equal the 16 frames.*train_dataloader"):
        check_segments(config(8, clip_len=1, num_clips=16), ("train",))
    with pytest.raises(UserError, match=r"num_segments \(3\) must divide the 8 frames.*test_dataloader"):
        check_segments(config(3, clip_len=1, num_clips=8), ("test",))


def test_3d_recognizers_fold_nothing():
    check_segments(config(3, kind="Recognizer3D", clip_len=32, num_clips=1), ("train", "test"))
