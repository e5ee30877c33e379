"""MMEngine's own functions read and write safely once the package is imported."""

import os
import pickle

import mmengine
import pytest
import torch
from mmengine.runner import load_checkpoint, save_checkpoint
from torch import nn

import cgc_video.engine  # noqa: F401
from cgc_video.errors import UserError


class Payload:
    def __init__(self, path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_checkpoint_is_written_whole_and_read_back(tmp_path):
    save_checkpoint({"state_dict": nn.Linear(2, 2).state_dict()}, str(tmp_path / "a.pth"))
    load_checkpoint(nn.Linear(2, 2), str(tmp_path / "a.pth"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]
    (tmp_path / "b.pth").mkdir()
    with pytest.raises(UserError, match="b.pth could not be written: Is a directory"):
        save_checkpoint({"state_dict": {}}, str(tmp_path / "b.pth"))


def test_damage_and_code_are_refused_by_name(tmp_path):
    torch.save({"state_dict": {}, "x": Payload(tmp_path / "ran")}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="evil.pth. holds posix.mkdir"):
        load_checkpoint(nn.Linear(2, 2), str(tmp_path / "evil.pth"))
    (tmp_path / "cut.pth").write_bytes((tmp_path / "evil.pth").read_bytes()[:-100])
    with pytest.raises(UserError, match="cut.pth. is damaged: it is cut off"):
        load_checkpoint(nn.Linear(2, 2), str(tmp_path / "cut.pth"))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("scheme", ["https://example.invalid/resnet18.pth", "torchvision://resnet18"])
def test_what_is_fetched_is_read_likewise(tmp_path, monkeypatch, scheme: str):
    """Upstream unpickles files from the net without restriction."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(
        "mmengine.runner.checkpoint.get_torchvision_models",
        lambda: {"resnet18": "https://example.invalid/resnet18.pth"},
    )
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save({"state_dict": {}, "x": Payload(tmp_path / "ran")}, folder / "resnet18.pth")
    with pytest.raises(UserError, match="resnet18.pth. holds posix.mkdir"):
        load_checkpoint(nn.Linear(2, 2), scheme)
    assert not (tmp_path / "ran").exists()


def test_pickle_files(tmp_path):
    results = [{"pred_score": torch.rand(3), "gt_label": 1}]
    mmengine.dump(results, str(tmp_path / "results.pkl"))
    found = mmengine.load(str(tmp_path / "results.pkl"))
    assert torch.equal(found[0]["pred_score"], results[0]["pred_score"])
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Payload(tmp_path / "ran")))
    with pytest.raises(UserError, match="holds posix.mkdir, which is no type of data"):
        mmengine.load(str(tmp_path / "evil.pkl"))
    assert not (tmp_path / "ran").exists()
