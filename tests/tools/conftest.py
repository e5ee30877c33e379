"""A few tiny encoded clips and a config that trains on them in seconds."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

CONFIG = """
custom_imports = dict(imports=["cgc_video"], allow_failed_imports=False)
default_scope = "mmaction"
model = dict(
    type="Recognizer2D",
    backbone=dict(type="ResNetTSM", depth=18, num_segments=2, norm_eval=False, shift_div=8, pretrained=None),
    cls_head=dict(
        type="TSMHead", num_classes=3, in_channels=512, num_segments=2, dropout_ratio=0.5, is_shift=True,
        consensus=dict(type="AvgConsensus", dim=1), average_clips="prob",
    ),
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[123.7, 116.3, 103.5], std=[58.4, 57.1, 57.4], format_shape="NCHW"
    ),
)
train_pipeline = [
    dict(type="DecordInit"),
    dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=2),
    dict(type="DecordDecode"),
    dict(type="Resize", scale=(32, 32), keep_ratio=False),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
test_pipeline = [
    dict(type="DecordInit"),
    dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=2, twice_sample=True, test_mode=True),
    dict(type="DecordDecode"),
    dict(type="Resize", scale=(48, 32), keep_ratio=False),
    dict(type="ThreeCrop", crop_size=32),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
data = dict(type="VideoDataset", ann_file="DATA/list.txt", data_prefix=dict(video="DATA/videos"))
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(pipeline=train_pipeline, **data),
)
val_dataloader = dict(
    batch_size=3, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(pipeline=train_pipeline, test_mode=True, **data),
)
test_dataloader = dict(
    batch_size=3, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True, **data),
)
val_evaluator = [dict(type="AccMetric"), dict(type="ClassReport")]
test_evaluator = [dict(type="AccMetric"), dict(type="ClassReport")]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=1, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
optim_wrapper = dict(
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=5e-4), clip_grad=dict(max_norm=20, norm_type=2)
)
param_scheduler = [dict(type="MultiStepLR", begin=0, end=2, by_epoch=True, milestones=[1], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=4)
default_hooks = dict(
    logger=dict(type="LoggerHook", interval=1),
    checkpoint=dict(type="CheckpointHook", interval=1),
)
visualizer = dict(type="ActionVisualizer", vis_backends=[dict(type="LocalVisBackend")])
data_help = dict(prepare="python tools/data/prepare_x.py data/x", mini="configs/tsm_r50_cgc_mini.py")
"""

CLASSES = ["Going left", "Going right", "Standing still"]


def write_video(path: Path, shift: int, frames: int = 6) -> None:
    """A bright square moving by ``shift`` pixels per frame, as MPEG-4 of 64x64."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(8))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for index in range(frames):
            image = np.full((64, 64, 3), 40, np.uint8)
            left = (24 + shift * index) % 48
            image[24:40, left : left + 16] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory) -> Path:
    """Five clips of three classes: ``list.txt``, ``classes.txt`` and ``videos/``. Read only."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "videos").mkdir()
    labels = [0, 1, 2, 0, 1]
    for index, label in enumerate(labels):
        write_video(folder / "videos" / f"{index}.mp4", shift=(-4, 4, 0)[label])
    (folder / "list.txt").write_text("".join(f"{i}.mp4 {label}\n" for i, label in enumerate(labels)))
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    return folder


@pytest.fixture
def tiny_config(tiny_data, tmp_path) -> Callable[..., str]:
    """Write the config, with pieces of its text replaced, and return its path."""

    def write(*replacements: tuple[str, str], name: str = "tiny") -> str:
        text = CONFIG
        for old, new in replacements:
            assert old in text, f"{old!r} is not in the config"
            text = text.replace(old, new)
        path = tmp_path / f"{name}.py"
        path.write_text(text.replace("DATA", tiny_data.as_posix()))
        return str(path)

    return write


@pytest.fixture
def random_weights(tmp_path) -> Callable[..., str]:
    """Write a checkpoint of a config's model, from random weights that tell inputs apart, and return its path."""

    def write(config: str, **meta: Any) -> str:
        with torch.random.fork_rng(), DefaultScope.overwrite_default_scope("mmaction"):
            torch.manual_seed(0)
            model = MODELS.build(Config.fromfile(config).model)
            torch.nn.init.normal_(model.cls_head.fc_cls.weight)
        path = tmp_path / "weights.pth"
        torch.save({"state_dict": model.state_dict(), "meta": meta}, path)
        return str(path)

    return write


@pytest.fixture(autouse=True)
def in_tmp(monkeypatch, tmp_path) -> None:
    """Run in a folder of its own, so that default work dirs do not meet."""
    monkeypatch.chdir(tmp_path)
