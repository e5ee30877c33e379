"""A training of a second or two whose every part draws random numbers, in processes that can be killed."""

import copy
import os
import random
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import HOOKS, MODELS
from mmcv.cnn import ConvModule
from mmengine.config import Config
from mmengine.hooks import Hook
from torch import nn

# here, so that no process has to import them again
import cgc_video.datasets.images
import cgc_video.datasets.listed
import cgc_video.models
import cgc_video.translation.registered  # noqa: F401
from cgc_video.engine import launch
from cgc_video.testing.same_run import assert_same_run

IMAGES, BATCH, EPOCHS = 26, 4, 2  # 7 batches in an epoch, the last of them of 2
PIPELINE = [
    dict(type="LoadImage"),
    dict(type="RandomCropImage", size=8, padding=2),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackImage"),
]
LOADER = dict(num_workers=0, batch_size=BATCH)
DATASET = dict(type="ImageFolder", data_root="DATA", data_prefix=dict(img_path="train"))
CONFIG = dict(
    default_scope="mmaction",
    model=dict(
        type="ImageClassifier",
        backbone=dict(type="TinyBackbone"),
        cls_head=dict(type="LinearHead", in_channels=64, num_classes=3, dropout_ratio=0.5),
        data_preprocessor=dict(
            type="ActionDataPreprocessor",
            mean=[128.0] * 3,
            std=[64.0] * 3,
            format_shape="NCHW",
            blending=dict(type="MixupBlending", num_classes=3, alpha=0.5),
        ),
    ),
    train_dataloader=dict(
        **LOADER,
        sampler=dict(type="ResumableSampler", shuffle=True),
        dataset=dict(**DATASET, pipeline=PIPELINE),
    ),
    val_dataloader=dict(
        **LOADER,
        sampler=dict(type="DefaultSampler", shuffle=False),
        dataset=dict(**DATASET, pipeline=PIPELINE, test_mode=True),  # validation draws, too
    ),
    train_cfg=dict(type="EpochBasedTrainLoop", max_epochs=EPOCHS, val_interval=1),
    val_cfg=dict(type="ValLoop"),
    val_evaluator=[dict(type="AccMetric")],
    optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.02, momentum=0.9), clip_grad=dict(max_norm=5)),
    param_scheduler=[
        dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=5),
        dict(type="MultiStepLR", by_epoch=True, milestones=[1], gamma=0.5),
    ],
    default_hooks=dict(
        logger=dict(type="LoggerHook", interval=5),
        checkpoint=dict(
            type="SafeCheckpointHook", interval=1, every_iters=2, max_keep_ckpts=2, save_best="acc/top1", rule="greater"
        ),
        sampler_seed=dict(type="DistSamplerSeedHook"),
    ),
    visualizer=dict(type="Visualizer"),
    randomness=dict(seed=5),
    log_level="INFO",
)


@MODELS.register_module(force=True)
class TinyBackbone(nn.Sequential):
    """A gated and a plain layer, each with batch norm."""

    out_channels = 64

    def __init__(self, pretrained: None = None) -> None:
        gated = ConvModule(3, 8, 3, padding=1, conv_cfg=dict(type="CGC2d"), norm_cfg=dict(type="BN"))
        super().__init__(gated, ConvModule(8, 64, 3, stride=2, norm_cfg=dict(type="BN")))


@pytest.fixture(autouse=True)
def _one_thread():
    """Sums of several threads differ from run to run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _in_tmp(monkeypatch, tmp_path) -> None:
    """MMEngine gathers results in the folder that it runs in, and a killed run leaves them there."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _no_formatting(monkeypatch):
    """Formatting the config's text for each checkpoint, and drawing curves, take most of the time of so short a run."""
    monkeypatch.setattr("mmengine.config.config.FormatCode", lambda text, **_: (text, False))
    monkeypatch.setattr("cgc_video.engine.hooks.curves.draw_curves", lambda *_: None)


@HOOKS.register_module(force=True)
class StopAt(Hook):
    """Ends a training behind an iteration, as if it had been killed there."""

    priority = "LOWEST"  # behind the checkpoint

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        if runner.iter + 1 == self.iteration:
            raise Stopped


class Stopped(Exception):
    pass


@pytest.fixture
def assert_goes_on(config) -> Callable[..., None]:
    """Train once as a whole, and once stopped behind an iteration and resumed; compare what the last checkpoints hold."""

    def check(
        tmp_path: Path, stop: int, changes: dict | None = None, resumed: dict | None = None, base: dict | None = None
    ) -> None:
        changes = changes or {}
        launch.train(config(tmp_path / "whole", changes, base))
        hooks = [*changes.get("custom_hooks", []), dict(type="StopAt", iteration=stop)]
        with pytest.raises(Stopped):
            launch.train(config(tmp_path / "cut", {**changes, "custom_hooks": hooks}, base))
        launch.train(config(tmp_path / "cut", {**changes, "resume": True, **(resumed or {})}, base))
        assert_same_run(tmp_path / "whole", tmp_path / "cut")

    return check


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Path:
    """Noisy images of 10x10 in 3 class folders. Read only."""
    root, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for index in range(IMAGES):
        folder = root / "train" / "abc"[index % 3]
        folder.mkdir(parents=True, exist_ok=True)
        image = rng.integers(0, 256, (10, 10, 3)) // 2 + 40 * (index % 3)
        cv2.imwrite(str(folder / f"{index:03}.png"), image.astype(np.uint8))
    return root


@pytest.fixture
def config(images) -> Callable[..., Config]:
    """The config for a work dir, with settings given by their path replaced."""

    def make(work_dir: Path, changes: dict[str, Any] | None = None, base: dict | None = None) -> Config:
        cfg = Config(copy.deepcopy(base or CONFIG))
        for loader in ("train_dataloader", "val_dataloader"):
            if cfg.get(loader) and "data_root" in cfg[loader].dataset:
                cfg[loader].dataset.data_root = str(images)
        cfg.merge_from_dict({"work_dir": str(work_dir), **(changes or {})})
        return cfg

    return make


class Training:
    """Processes that train by a config; a real ``SIGKILL`` ends them."""

    def __init__(self, cfg: Config, processes: int = 1) -> None:
        self.log = Path(cfg.work_dir) / "console.txt"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if processes > 1:
            cfg.launcher = "pytorch"
        self.begun, port = time.time(), _free_port()
        context = get_context("fork")
        self.ranks = [
            context.Process(target=_train, args=(cfg, self.log, rank, processes, port)) for rank in range(processes)
        ]
        for rank in self.ranks:
            rank.start()

    def kill(self) -> bool:
        """Kill all processes as they are; whether that was before their end."""
        for rank in self.ranks:
            if rank.is_alive():
                os.kill(rank.pid, signal.SIGKILL)
        codes = self.wait(check=False)
        return any(code != 0 for code in codes)

    def wait_for_checkpoint(self, work_dir: Path, seconds: float = 120) -> None:
        """Wait until these processes have written one, or are over."""
        last, end = work_dir / "last_checkpoint", time.monotonic() + seconds
        while not (last.is_file() and last.stat().st_mtime > self.begun):
            if not all(rank.is_alive() for rank in self.ranks):
                return
            assert time.monotonic() < end, self.log.read_text()[-4000:]
            time.sleep(0.01)

    def wait(self, check: bool = True) -> list[int]:
        for rank in self.ranks:
            rank.join()
        codes = [rank.exitcode for rank in self.ranks]
        assert not check or codes == [0] * len(codes), self.log.read_text()[-4000:]
        return codes


def _train(cfg: Config, log: Path, rank: int, processes: int, port: int) -> None:
    sys.stdout = sys.stderr = log.open("a", buffering=1)
    torch.set_num_threads(1)
    if processes > 1:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    launch.train(cfg)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def start() -> type[Training]:
    return Training


@pytest.fixture
def assert_survives(config, figure) -> Callable[..., str]:
    """Train once without and once with kills, and compare what the last checkpoints hold."""

    def check(
        tmp_path: Path, kills: int, changes: dict | None = None, processes: int = 1, base: dict | None = None
    ) -> str:
        Training(config(tmp_path / "whole", changes, base), processes).wait()
        killed, chance = tmp_path / "killed", random.Random()
        resumed, done, startup = {**(changes or {}), "resume": True}, 0, 0.0
        while done < kills:
            run = Training(config(killed, resumed if done else changes, base), processes)
            if not done or chance.random() < 0.75:  # as a rule, where there is something new to lose
                run.wait_for_checkpoint(killed)
                startup = startup or time.time() - run.begun
                time.sleep(chance.uniform(0, 1))
            else:
                time.sleep(chance.uniform(0, startup))
            if not run.kill():
                break
            done += 1
        Training(config(killed, resumed, base), processes).wait()
        assert done == kills, f"the run was over after {done} kills"
        assert_same_run(tmp_path / "whole", killed)
        said = (killed / "console.txt").read_text()
        places = set(re.findall(r"Going on with (.*)\.", said))
        inside = sum(" at batch " in place for place in places)
        figure(
            f"{kills} kills, gone on at {len(places)} places, {inside} of them inside an epoch: equal to the last bit"
        )
        return said

    return check
