"""Views cut in the data preprocessor are those of the stock pipeline, in any chunks, at a fraction of the memory."""

import numpy as np
import pytest
import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmengine.dataset import pseudo_collate

from cgc_video.datasets.transforms.lazy_views import LazyViews, crop_boxes
from cgc_video.errors import UserError
from cgc_video.models.lazy_views import LazyViewsPreprocessor, SampleViews, lazy_samples

CLIPS = dict(type="SampleFrames", clip_len=16, frame_interval=2, num_clips=10, test_mode=True)
DENSE = dict(type="DenseSampleFrames", clip_len=1, num_clips=4, num_sample_positions=5, sample_range=30, test_mode=True)
COLLECT = dict(type="PackActionInputs", collect_keys=("frames", "frame_places", "boxes"))
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def stock_steps(sampler: dict, layout: str, crops: int) -> list[dict]:
    crop = dict(type="ThreeCrop", crop_size=64) if crops == 3 else dict(type="CenterCrop", crop_size=64)
    behind = [dict(type="Resize", scale=(-1, 64)), crop, dict(type="FormatShape", input_format=layout)]
    return [dict(type="DecordInit"), sampler, dict(type="DecordDecode"), *behind, dict(type="PackActionInputs")]


def lazy_steps(sampler: dict, layout: str, crops: int) -> list[dict]:
    return [
        dict(type="VideoOpen", with_size=True),
        sampler,
        dict(type="Resize", scale=(-1, 64), lazy=True),
        dict(type="VideoDecode", unique=True),
        dict(type="LazyViews", crop_size=64, crops=crops, input_format=layout),
        COLLECT,
    ]


@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize(("sampler", "layout"), [(CLIPS, "NCTHW"), (CLIPS, "NCHW"), (DENSE, "NCHW")])
@pytest.mark.parametrize("samples", [1, 2])
def test_the_network_is_given_the_same_numbers(sampler, layout, crops: int, samples: int, run, video_sample):
    settings = dict(mean=MEAN, std=STD, format_shape=layout)
    stock = pseudo_collate([run(stock_steps(sampler, layout, crops), video_sample) for _ in range(samples)])
    expected = ActionDataPreprocessor(**settings)(stock)["inputs"]
    data = [run(lazy_steps(sampler, layout, crops), video_sample) for _ in range(samples)]
    assert data[0]["data_samples"].img_shape == (64, 64)
    actual = LazyViewsPreprocessor(**settings)(pseudo_collate(data))
    assert torch.equal(actual["inputs"], expected)
    assert len(actual["data_samples"]) == samples
    views = lazy_samples(pseudo_collate(data)["inputs"])
    assert len(views) == samples
    raw = run(stock_steps(sampler, layout, crops), video_sample)["inputs"]
    for chunk in (1, 7, len(raw)):
        cut = [views[0].cut(start, min(start + chunk, len(raw))) for start in range(0, len(raw), chunk)]
        assert torch.equal(torch.cat(cut), raw)


def test_the_sample_is_a_fraction_of_the_stock_one(run, video_sample):
    stock = run(stock_steps(CLIPS, "NCTHW", 3), video_sample)["inputs"]
    lazy = run(lazy_steps(CLIPS, "NCTHW", 3), video_sample)["inputs"]
    assert lazy["frames"].dtype == torch.uint8
    assert len(lazy["frames"]) <= 50  # 480 places
    assert sum(tensor.nbytes for tensor in lazy.values()) < 0.2 * stock.nbytes


def test_frames_of_a_folder_do_as_well(run, frames_sample):
    behind = [dict(type="Resize", scale=(-1, 64)), dict(type="ThreeCrop", crop_size=64)]
    stock = [CLIPS, dict(type="RawFrameDecode"), *behind, dict(type="FormatShape", input_format="NCTHW")]
    expected = run([*stock, dict(type="PackActionInputs")], frames_sample)["inputs"]
    lazy = [
        dict(type="FrameOpen"),
        CLIPS,
        dict(behind[0], lazy=True),
        dict(type="FrameDecode", unique=True, reduce=False),
    ]
    inputs = run([*lazy, dict(type="LazyViews", crop_size=64), COLLECT], frames_sample)["inputs"]
    views = SampleViews(inputs["frames"], inputs["frame_places"], inputs["boxes"])
    assert torch.equal(views.cut(0, len(views)), expected)


def test_ordinary_samples_go_the_usual_way():
    data = dict(inputs=[torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).reshape(2, 3, 4, 4)], data_samples=[None])
    settings = dict(mean=MEAN, std=STD)
    expected = ActionDataPreprocessor(**settings)(dict(data))["inputs"]
    assert torch.equal(LazyViewsPreprocessor(**settings)(dict(data))["inputs"], expected)


@pytest.mark.parametrize("size", [(64, 100), (100, 64), (64, 64)], ids=str)
def test_upright_and_wide_frames_are_cropped_as_by_the_stock_step(size: tuple[int, int], run):
    frames = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    expected = run([dict(type="ThreeCrop", crop_size=64)], dict(imgs=list(frames)))["imgs"]
    boxes = torch.from_numpy(crop_boxes(*size, (64, 64), 3))
    views = SampleViews(torch.from_numpy(frames), torch.arange(2), boxes)
    assert np.array_equal(views.cut(0, 6).permute(0, 2, 3, 1), expected)


def test_what_is_refused(run, video_sample):
    for kwargs, message in [(dict(crops=2), r"crops \(2\)"), (dict(input_format="NTCHW"), r"input_format \(NTCHW\)")]:
        with pytest.raises(UserError, match=message):
            LazyViews(64, **kwargs)
    with pytest.raises(UserError, match="set unique=True"):
        run([dict(type="LazyViews", crop_size=8)], dict(imgs=[np.zeros((8, 8, 3))]))
    with pytest.raises(UserError, match="must not exceed"):
        crop_boxes(32, 100, (64, 64), 3)
    with pytest.raises(UserError, match="must equal one side"):
        crop_boxes(80, 100, (64, 64), 3)
    views = SampleViews(torch.zeros(2, 4, 4, 3), torch.arange(2), torch.tensor([[0, 0, 4, 4]]))
    with pytest.raises(IndexError, match=r"view \(2\) must lie in 0 to 1"):
        views[2]
    assert repr(LazyViews(64)) == "LazyViews(crop_size=(64, 64), crops=3, input_format='NCTHW')"
