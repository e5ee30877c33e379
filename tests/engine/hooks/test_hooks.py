"""The hooks by themselves; whole runs are in tests/tools."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from cgc_video.engine.curves import draw_curves
from cgc_video.engine.hooks import data_time
from cgc_video.engine.hooks.curves import CurvesHook
from cgc_video.engine.hooks.data_time import DataTimeHook
from cgc_video.engine.hooks.predictions import contact_sheet, first_view
from cgc_video.engine.hooks.progress import ProgressHook
from cgc_video.engine.hooks.test_stats import views_per_clip
from cgc_video.models.lazy_views import SampleViews


@pytest.mark.parametrize(
    ("shape", "segments", "views"),
    [((8, 3, 4, 4), 8, 1), ((48, 3, 4, 4), 8, 6), ((30, 3, 32, 4, 4), 8, 30), ((5, 3, 4, 4), 8, 1)],
)
def test_views_per_clip(shape, segments, views):
    assert views_per_clip(shape, segments) == views


@pytest.mark.parametrize(("waited", "lines"), [(0.9, 1), (0.21, 1), (0.19, 0)])
@pytest.mark.parametrize("epoch_length", [4, 100])
def test_waiting_for_data_is_measured_at_the_start_and_said_once(waited, lines, epoch_length):
    logged = []
    current = lambda value: SimpleNamespace(current=lambda: value)  # noqa: E731
    times = {"train/time": current(1.0), "train/data_time": current(waited)}
    runner = SimpleNamespace(
        message_hub=SimpleNamespace(log_scalars=times),
        train_dataloader=SimpleNamespace(num_workers=0, prefetch_factor=None, dataset=None),
        logger=SimpleNamespace(info=logged.append),
    )
    hook = DataTimeHook(iterations=10)
    hook.before_train(runner)
    for _ in range(2):
        for index in range(epoch_length):
            hook.after_train_iter(runner, index, {"inputs": [torch.zeros(2, 3)]})
        hook.after_train_epoch(runner)
    assert len(logged) == lines
    assert all(f"{waited:.0%} of the first iterations" in line for line in logged)


def test_advice_names_the_nearest_cause(monkeypatch):
    monkeypatch.setattr(data_time, "_shared_memory", lambda: 64 * 2**20)
    monkeypatch.setattr(data_time.os, "sched_getaffinity", lambda pid: range(8), raising=False)
    assert "/dev/shm (64 MiB free) is too small for the 80 MiB" in data_time.advice(4, 2, 10 * 2**20, True)
    assert "raise train_dataloader.num_workers (4) towards the 8 cores" in data_time.advice(4, 2, 2**20, True)
    assert "tools/data/reencode.py" in data_time.advice(8, 2, 2**20, True)
    assert "store them smaller" in data_time.advice(8, 2, 2**20, False)


def test_bytes_of_a_batch():
    assert data_time.batch_bytes({"inputs": [torch.zeros(2, 3), torch.zeros(4, dtype=torch.uint8)], "name": "x"}) == 28


def fake_run(hook: CurvesHook, folder, epochs: range) -> None:
    """Call the hook as a run over ``epochs`` (from 0) would, two iterations each."""
    lr = SimpleNamespace(get_lr=lambda: {"lr": [0.1]})
    logger = SimpleNamespace(info=lambda text: None)
    runner = SimpleNamespace(work_dir=str(folder), epoch=epochs[0], iter=2 * epochs[0], optim_wrapper=lr, logger=logger)
    hook.before_train(runner)
    for epoch in epochs:
        runner.epoch = epoch
        hook.before_train_epoch(runner)
        for loss in (1.0, 3.0):
            hook.after_train_iter(runner, 0, outputs={"loss": torch.tensor(loss + epoch), "top1_acc": 0.5})
        hook.after_train_epoch(runner)
        runner.epoch = epoch + 1
        hook.after_val_epoch(runner, {"acc/top1": 0.25})
    hook.after_train(runner)


def test_curves_hold_epoch_means_and_survive_a_resume(tmp_path):
    fake_run(CurvesHook(), tmp_path, range(0, 3))
    fake_run(hook := CurvesHook(), tmp_path, range(2, 4))  # resumed from epoch 2: epoch 3 is run again
    assert sorted(hook.rows) == [1, 2, 3, 4]
    assert [hook.rows[e]["loss"] for e in (1, 2, 3, 4)] == [2.0, 3.0, 4.0, 5.0]
    assert hook.rows[1]["val_top1"] == 0.25
    fake_run(hook := CurvesHook(), tmp_path, range(0, 1))  # a new run starts new curves
    assert sorted(hook.rows) == [1]
    assert cv2.imread(str(tmp_path / "curves.png")) is not None


def test_curves_of_a_single_epoch_without_validation(tmp_path):
    draw_curves({1: {"loss": 2.0}}, tmp_path / "c.png")
    assert cv2.imread(str(tmp_path / "c.png")).std() > 0


def test_validation_without_training_draws_nothing(tmp_path):
    CurvesHook().after_val_epoch(SimpleNamespace(rank=0), {"acc/top1": 1.0})


def test_first_view_and_contact_sheet():
    two_d = torch.arange(6).reshape(6, 1, 1, 1).expand(6, 3, 4, 5)
    assert first_view(two_d, num_segments=2)[:, 0, 0, 0].tolist() == [0, 1]
    frames = torch.arange(6, dtype=torch.uint8).reshape(6, 1, 1, 1).expand(6, 4, 5, 3)
    lazy = SampleViews(frames, torch.tensor([1, 2, 5, 5]), torch.tensor([[0, 0, 5, 4]]))
    assert first_view(lazy, num_segments=2)[:, 0, 0, 0].tolist() == [1, 2]
    three_d = torch.arange(32).reshape(1, 1, 32, 1, 1).expand(2, 3, 32, 4, 5)
    view = first_view(three_d, num_segments=1)
    assert view.shape == (8, 4, 5, 3)
    assert view[:, 0, 0, 0].tolist() == list(range(0, 32, 4))
    sheet = contact_sheet(view, ["true: a", "predicted: b"])
    assert sheet.dtype == np.uint8
    assert sheet.shape == (200, 1600, 3)


@pytest.mark.parametrize(("seconds", "lines"), [(0.0, 3), (1000.0, 0)])
def test_progress_goes_by_the_clock(seconds, lines):
    logged = []
    runner = SimpleNamespace(
        epoch=0,
        test_dataloader=range(8),
        message_hub=SimpleNamespace(runtime_info={"eta": 65.4}),
        logger=SimpleNamespace(info=logged.append),
    )
    hook = ProgressHook(seconds)
    hook.before_test_epoch(runner)
    for index in range(3):
        hook.after_test_iter(runner, index)
    assert len(logged) == lines
    assert logged[-1:] == ["test: 3 of 8 batches, 0:01:05 left"][:lines]
