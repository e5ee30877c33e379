"""The mean of the last checkpoints."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook

from cgc_video.errors import UserError
from cgc_video.translation.averaging import AverageCheckpointsHook, average_checkpoints, epoch_checkpoints


def save(folder, epoch: int, value: float, steps: int = 0, size: int = 2) -> None:
    state = {"weight": torch.full((size,), value), "steps": torch.tensor(steps)}
    content = {"state_dict": state, "meta": {"epoch": epoch, "dataset_meta": {"a": 1}}, "optimizer": {"lr": 1}}
    torch.save(content, folder / f"epoch_{epoch}.pth")


def test_last_checkpoints_by_number(tmp_path):
    for epoch in (1, 2, 9, 10, 11):
        save(tmp_path, epoch, 0)
    (tmp_path / "best_bleu_epoch_3.pth").touch()
    assert [path.name for path in epoch_checkpoints(tmp_path, 3)] == ["epoch_9.pth", "epoch_10.pth", "epoch_11.pth"]
    assert len(epoch_checkpoints(tmp_path, 10)) == 5


def test_weights_are_averaged_and_the_rest_is_that_of_the_last(tmp_path):
    for epoch, value in ((1, 1.0), (2, 2.0), (3, 6.0)):
        save(tmp_path, epoch, value, steps=epoch)
    average_checkpoints(epoch_checkpoints(tmp_path, 3), tmp_path / "averaged.pth")
    content = torch.load(tmp_path / "averaged.pth", weights_only=True)
    assert content["state_dict"]["weight"].tolist() == [3.0, 3.0]
    assert content["state_dict"]["weight"].dtype == torch.float32
    assert content["state_dict"]["steps"] == 3
    assert content["meta"]["averaged"] == ["epoch_1.pth", "epoch_2.pth", "epoch_3.pth"]
    assert content["meta"]["dataset_meta"] == {"a": 1}
    assert "optimizer" not in content


def test_nothing_to_average_and_other_models(tmp_path):
    with pytest.raises(UserError, match="holds no checkpoint epoch_<number>.pth"):
        epoch_checkpoints(tmp_path, 10)
    with pytest.raises(UserError, match=r"last \(0\) must be at least 1"):
        epoch_checkpoints(tmp_path, 0)
    save(tmp_path, 1, 1.0)
    save(tmp_path, 2, 1.0, size=3)
    with pytest.raises(UserError, match="epoch_2.pth is of another model than .*epoch_1.pth"):
        average_checkpoints(epoch_checkpoints(tmp_path, 2), tmp_path / "averaged.pth")


def test_the_checkpoint_hook_must_keep_enough():
    hook = AverageCheckpointsHook(last=10)
    hook.before_train(SimpleNamespace(hooks=[CheckpointHook(max_keep_ckpts=10), CheckpointHook()]))
    with pytest.raises(
        UserError, match=r"last \(10\) is more than default_hooks.checkpoint.max_keep_ckpts \(2\) keeps"
    ):
        hook.before_train(SimpleNamespace(hooks=[CheckpointHook(max_keep_ckpts=2)]))
