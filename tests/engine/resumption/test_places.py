"""A run that stops at a chosen place, and goes on from there, ends as one that never stopped."""

import copy
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS

from cgc_video.datasets.images import ImageFolder
from cgc_video.engine import launch
from cgc_video.errors import UserError

# 7 batches in an epoch, 14 in all; a checkpoint after each second one
BY_ITER = {"default_hooks.checkpoint.by_epoch": False, "default_hooks.checkpoint.every_iters": None}
WORDS = dict(mixer=dict(type="LightweightConv"), kernel_sizes=(3,), width=16, hidden=16, heads=2, dropout=0.3)


@pytest.mark.parametrize("stop", [5, 7], ids=lambda stop: f"behind-{stop}")
def test_inside_and_at_the_end_of_an_epoch(tmp_path, assert_goes_on, stop: int):
    """With no worker in the first part and one in the second: what a sample draws is its own affair."""
    assert_goes_on(
        tmp_path, stop, resumed={"train_dataloader.num_workers": 1, "train_dataloader.persistent_workers": True}
    )


def test_the_last_batch_of_an_epoch(tmp_path, assert_goes_on):
    """A checkpoint by iterations there is not yet that of the epoch's end: schedulers and validation come after it."""
    assert_goes_on(tmp_path, 7, {**BY_ITER, "default_hooks.checkpoint.interval": 7})


def test_averaged_weights(tmp_path, assert_goes_on):
    assert_goes_on(tmp_path, 5, {"custom_hooks": [dict(type="EMAHook", momentum=0.1)]})
    assert "ema_state_dict" in torch.load(tmp_path / "whole" / "epoch_2.pth", weights_only=True)


def test_accumulated_gradients(tmp_path, assert_goes_on):
    """Four batches make an update, also across the end of an epoch: the gradients that wait for it are in the checkpoint."""
    changes = {**BY_ITER, "default_hooks.checkpoint.interval": 3, "optim_wrapper.accumulative_counts": 4}
    assert_goes_on(tmp_path, 11, changes)


def test_checkpoints_inside_an_epoch_wait_for_an_update(tmp_path, assert_goes_on):
    assert_goes_on(tmp_path, 6, {"optim_wrapper.accumulative_counts": 4})


def test_a_checkpoint_after_minutes(tmp_path, config):
    changes = {"default_hooks.checkpoint.every_iters": None, "default_hooks.checkpoint.every_minutes": 1e-6}
    hooks = {"custom_hooks": [dict(type="StopAt", iteration=3)]}
    with pytest.raises(Exception, match=r"^$"):
        launch.train(config(tmp_path, {**changes, **hooks}))
    meta = torch.load(tmp_path / "inside_epoch.pth", weights_only=True)["meta"]
    assert (meta["epoch"], meta["iter"]) == (0, 3)
    launch.train(config(tmp_path, {**changes, "resume": True}))
    assert {path.name for path in tmp_path.glob("*.pth")} >= {"epoch_1.pth", "epoch_2.pth"}
    assert not (tmp_path / "inside_epoch.pth").exists()  # the epoch's own stands


def test_translation(tmp_path, assert_goes_on):
    loader = dict(num_workers=0, batch_size=8, collate_fn=dict(type="collate_pairs"))
    base = dict(
        default_scope="mmaction",
        model=dict(
            type="TranslationModel",
            encoder=dict(vocabulary_size=26, **WORDS),
            decoder=dict(vocabulary_size=24, attention_dropout=0.1, **WORDS),
        ),
        train_dataloader=dict(
            **loader,
            sampler=dict(type="DefaultSampler", shuffle=True),
            batch_sampler=dict(type="TokenBatchSampler", max_tokens=60),
            dataset=dict(type="ModeCopies", sentences=40, seed=1),
        ),
        train_cfg=dict(type="UpdateBasedTrainLoop", max_updates=20),
        param_scheduler=[dict(type="InverseSqrtLR", warmup=5)],
        optim_wrapper=dict(optimizer=dict(type="AdamW", lr=1e-2)),
        default_hooks=dict(checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=3)),
        visualizer=dict(type="Visualizer"),
    )
    assert_goes_on(tmp_path, 13, {"randomness": dict(seed=4)}, base=base)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """Nine clips of noise, and their list. Read only."""
    folder, rng = tmp_path_factory.mktemp("clips"), np.random.default_rng(0)
    for index in range(9):
        with av.open(str(folder / f"{index}.mp4"), "w") as container:
            stream = container.add_stream("mpeg4", rate=Fraction(8))
            stream.width, stream.height, stream.pix_fmt = 48, 48, "yuv420p"
            for _ in range(8):
                image = rng.integers(0, 256, (48, 48, 3)).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())
    (folder / "list.txt").write_text("".join(f"{index}.mp4 {index % 3}\n" for index in range(9)))
    return folder


def video_config(clips: Path) -> dict:
    pipeline = [
        dict(type="VideoOpen"),
        dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=2),
        dict(type="VideoDecode"),
        dict(type="RandomResizedCrop"),
        dict(type="Resize", scale=(32, 32), keep_ratio=False),
        dict(type="Flip", flip_ratio=0.5),
        dict(type="FormatShape", input_format="NCHW"),
        dict(type="PackActionInputs"),
    ]
    head = dict(type="TSMHead", num_classes=3, in_channels=512, num_segments=2, dropout_ratio=0.5, average_clips="prob")
    return dict(
        default_scope="mmaction",
        model=dict(
            type="Recognizer2D",
            backbone=dict(type="TSMResNet", depth=18, num_segments=2),
            cls_head=dict(**head, is_shift=True, consensus=dict(type="AvgConsensus", dim=1)),
            data_preprocessor=dict(
                type="ActionDataPreprocessor", mean=[128.0] * 3, std=[60.0] * 3, format_shape="NCHW"
            ),
        ),
        train_dataloader=dict(
            num_workers=0,
            batch_size=2,
            sampler=dict(type="ResumableSampler", shuffle=True),
            dataset=dict(
                type="ListedVideos", ann_file=f"{clips}/list.txt", data_prefix=dict(video=str(clips)), pipeline=pipeline
            ),
        ),
        train_cfg=dict(type="EpochBasedTrainLoop", max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01, momentum=0.9)),
        default_hooks=dict(checkpoint=dict(type="CheckpointHook", every_iters=2)),
        visualizer=dict(type="Visualizer"),
        randomness=dict(seed=2),
    )


def test_video(tmp_path, assert_goes_on, clips):
    base = video_config(clips)
    base["default_hooks"]["checkpoint"]["type"] = "SafeCheckpointHook"
    assert_goes_on(
        tmp_path, 3, {"train_dataloader.num_workers": 1}, resumed={"train_dataloader.num_workers": 0}, base=base
    )


@DATASETS.register_module(force=True)
class CountedImages(ImageFolder):
    """Counts the samples that it makes."""

    made = 0

    def prepare_data(self, idx: int):
        type(self).made += 1
        return super().prepare_data(idx)


def test_what_was_trained_on_is_not_decoded_again(tmp_path, config):
    changes = {"train_dataloader.dataset.type": "CountedImages", "train_cfg.max_epochs": 1}
    with pytest.raises(Exception, match=r"^$"):
        launch.train(config(tmp_path, {**changes, "custom_hooks": [dict(type="StopAt", iteration=6)]}))
    CountedImages.made = 0
    launch.train(config(tmp_path, {**changes, "resume": True}))
    assert CountedImages.made == 2  # of the 26 images, those of the seventh and last batch


@pytest.fixture
def cut(tmp_path, config) -> Path:
    """A work dir whose last checkpoint lies inside the first epoch."""
    with pytest.raises(Exception, match=r"^$"):
        launch.train(config(tmp_path / "cut", {"custom_hooks": [dict(type="StopAt", iteration=4)]}))
    return tmp_path / "cut"


def test_another_batch_size_inside_an_epoch(cut, config):
    message = (
        r"the checkpoint lies inside an epoch of 7 batches of 4 on 1 process\(es\), and this run has 9 batches of 3 on 1 "
        r"process\(es\); make them equal, or resume from the checkpoint of an epoch's end"
    )
    with pytest.raises(UserError, match=message):
        launch.train(config(cut, {"resume": True, "train_dataloader.batch_size": 3}))


def test_a_checkpoint_of_mmengines_own_starts_its_epoch_afresh(cut, config, caplog):
    content = torch.load(cut / "inside_epoch.pth", weights_only=True)
    del content["resumption"]
    torch.save(content, cut / "inside_epoch.pth")
    runner = launch.train(config(cut, {"resume": True}))
    assert runner.epoch == 2
    said = (Path(runner.log_dir) / f"{runner.timestamp}.log").read_text()
    assert "The checkpoint holds no random states and no place inside an epoch" in said


def test_the_seed_of_the_checkpoint_orders_the_epoch(tmp_path, assert_goes_on):
    """A run without a seed draws one; going on, it must not draw another."""
    assert_goes_on(tmp_path, 4, resumed={"randomness": dict(seed=None)})


def test_config_text_in_a_checkpoint_is_not_run(cut, config, tmp_path):
    content = torch.load(cut / "inside_epoch.pth", weights_only=True)
    content["meta"]["config"] = f"import os\nos.mkdir({str(tmp_path / 'ran')!r})\n"
    torch.save(content, cut / "inside_epoch.pth")
    launch.train(config(cut, copy.deepcopy({"resume": True})))
    assert not (tmp_path / "ran").exists()
