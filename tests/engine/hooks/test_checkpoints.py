"""When checkpoints are written and removed."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, MODELS
from torch import nn
from torch.utils.data import DataLoader, Dataset

from cgc_video.engine.hooks import SafeCheckpointHook
from cgc_video.engine.resumable import resumable
from cgc_video.engine.runner import VideoRunner
from cgc_video.errors import UserError
from cgc_video.models.checkpoints import read_checkpoint


@DATASETS.register_module(force=True)
class FourNumbers(Dataset):
    metainfo: dict = {}

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int):
        return torch.tensor([float(index)])


@MODELS.register_module(force=True)
class Line(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, *inputs, mode: str = "tensor"):
        return {"loss": self.layer(torch.stack(inputs)).square().mean()}


@pytest.fixture
def train(tmp_path):
    """Train for some epochs of 4 iterations; the runner."""

    def run(epochs: int = 3, resume: bool = False, **hook) -> VideoRunner:
        cfg = Config(
            dict(
                work_dir=str(tmp_path),
                model=dict(type="Line"),
                train_cfg=dict(type="EpochBasedTrainLoop", max_epochs=epochs),
                train_dataloader=dict(
                    batch_size=1,
                    num_workers=0,
                    sampler=dict(type="DefaultSampler", shuffle=True),
                    dataset=dict(type="FourNumbers"),
                    collate_fn=dict(type="pseudo_collate"),
                ),
                optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01)),
                default_scope="mmaction",
                default_hooks=dict(checkpoint=dict(type="CheckpointHook", interval=1, **hook)),
                resume=resume,
                randomness=dict(seed=1),
                experiment_name=f"{tmp_path.name}_{epochs}_{resume}",
            )
        )
        runner = VideoRunner.from_cfg(resumable(cfg))
        runner.train()
        return runner

    return run


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.pth"))


def test_the_newest_are_kept(train, tmp_path):
    runner = train(max_keep_ckpts=2, every_iters=3)
    assert kept(tmp_path) == ["epoch_2.pth", "epoch_3.pth"]
    assert (tmp_path / "last_checkpoint").read_text() == str(tmp_path / "epoch_3.pth")
    assert runner.message_hub.get_info("keep_ckpt_ids") == [2, 3]


def test_the_oldest_goes_when_the_newest_stands(train, tmp_path, monkeypatch):
    """Killed between the two, a run removes it when it goes on."""
    train(epochs=2, max_keep_ckpts=2)
    (tmp_path / "epoch_3.pth").mkdir()  # a name that cannot be taken
    with pytest.raises(UserError, match="epoch_3.pth could not be written: "):
        train(epochs=3, resume=True, max_keep_ckpts=2)
    assert {"epoch_1.pth", "epoch_2.pth"} <= set(kept(tmp_path))
    assert (tmp_path / "last_checkpoint").read_text() == str(tmp_path / "epoch_2.pth")
    (tmp_path / "epoch_3.pth").rmdir()
    monkeypatch.setattr("mmengine.fileio.LocalBackend.remove", lambda *_: None)
    train(epochs=3, resume=True, max_keep_ckpts=2)
    assert kept(tmp_path) == ["epoch_1.pth", "epoch_2.pth", "epoch_3.pth"]
    assert read_checkpoint(tmp_path / "epoch_3.pth")["message_hub"]["runtime_info"]["keep_ckpt_ids"] == [1, 2, 3]
    monkeypatch.undo()
    train(epochs=3, resume=True, max_keep_ckpts=2)
    assert kept(tmp_path) == ["epoch_2.pth", "epoch_3.pth"]


def test_what_a_killed_writer_left_is_removed(train, tmp_path):
    (tmp_path / ".epoch_1.pth.tmp").write_bytes(b"half")
    train(epochs=1)
    assert not list(tmp_path.glob(".*.tmp"))


def test_the_best_goes_when_the_better_stands(tmp_path):
    hook = SafeCheckpointHook(interval=1, save_best="acc", rule="greater")
    saved = []

    def save(out_dir: str, filename: str, **_) -> None:
        saved.append(kept(tmp_path))
        (tmp_path / filename).touch()

    hub = SimpleNamespace(runtime_info={}, get_info=lambda key: hub.runtime_info[key])
    hub.update_info = lambda key, value: hub.runtime_info.update({key: value})
    logger = SimpleNamespace(info=lambda *_: None, log=lambda *_: None)
    runner = SimpleNamespace(
        work_dir=str(tmp_path), message_hub=hub, logger=logger, save_checkpoint=save, epoch=1, iter=4
    )
    runner.train_dataloader, runner.optim_wrapper = DataLoader(FourNumbers()), None
    hook.before_train(runner)
    for epoch, score in ((1, 0.5), (2, 0.4), (3, 0.6)):
        runner.epoch = epoch
        hook.after_val_epoch(runner, {"acc": score})
    assert saved == [[], ["best_acc_epoch_1.pth"]]  # the first was there while the second was written
    assert kept(tmp_path) == ["best_acc_epoch_3.pth"]


@pytest.mark.parametrize("option", ["every_iters", "every_minutes"])
def test_intervals_must_be_positive(option: str):
    with pytest.raises(UserError, match=rf"default_hooks.checkpoint.{option} \(0\) must be above 0"):
        SafeCheckpointHook(interval=1, **{option: 0})


def test_no_more_than_the_epochs_by_default(train, tmp_path):
    runner = train(epochs=1)
    assert kept(tmp_path) == ["epoch_1.pth"]
    assert isinstance(next(hook for hook in runner.hooks if hasattr(hook, "every_iters")), SafeCheckpointHook)
