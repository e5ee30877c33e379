"""A damaged last checkpoint, a full disk, and what may not be loaded: one sentence, and nothing is lost."""

import importlib.util
import os
import resource
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger

from cgc_video.engine import launch
from cgc_video.engine.resumption import last_good_checkpoint
from cgc_video.engine.trained import load_trained
from cgc_video.errors import UserError
from cgc_video.models.checkpoints import read_checkpoint

TOOLS = Path(__file__).parents[3] / "tools"


def tool(name: str):
    spec = importlib.util.spec_from_file_location(f"cgc_tools_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def flip_a_bit(path: Path) -> None:
    """In the middle of the largest tensor."""
    content = bytearray(path.read_bytes())
    weights = read_checkpoint(path)["state_dict"].values()
    largest = max((value for value in weights if value.is_floating_point()), key=torch.Tensor.numel).contiguous()
    content[content.find(largest.numpy().tobytes()) + 64] ^= 4
    path.write_bytes(content)


@pytest.fixture
def run(tmp_path, config):
    """A finished training of two epochs: its folder, and the file of its config."""
    cfg = config(tmp_path / "run")
    cfg.test_dataloader, cfg.test_cfg, cfg.test_evaluator = cfg.val_dataloader, dict(type="TestLoop"), cfg.val_evaluator
    cfg.dump(str(tmp_path / "tiny.py"))
    launch.train(cfg)
    return tmp_path / "run", str(tmp_path / "tiny.py")


def error_of(capsys, code: int) -> str:
    error = capsys.readouterr().err
    assert code == 2
    assert "Traceback" not in error
    return error.strip().splitlines()[-1]


def test_every_tool_names_a_damaged_checkpoint(run, capsys):
    folder, config = run
    flip_a_bit(folder / "epoch_2.pth")
    checkpoint = str(folder / "epoch_2.pth")
    said = (
        f"error: checkpoint ({checkpoint}) is damaged: archive/data/",
        f" has another check sum than when it was written; take {folder}/",
    )
    train, work = tool("train"), ["--work-dir", str(folder.parent / "other")]
    for main, arguments in (
        (train, ["--resume", checkpoint]),
        (train, ["--cfg-options", f"load_from={checkpoint}"]),
        (tool("test"), [checkpoint]),
    ):
        message = error_of(capsys, main([config, *arguments, *work]))
        assert all(part in message for part in said), message
    with pytest.raises(UserError, match="is damaged: archive/data/"):
        load_trained(config, checkpoint)


def test_resume_takes_the_last_whole_checkpoint_and_says_so(run, config, caplog):
    folder, _ = run
    flip_a_bit(folder / "epoch_2.pth")
    runner = launch.train(config(folder, {"resume": True, "train_cfg.max_epochs": 3}))
    said = (Path(runner.log_dir) / f"{runner.timestamp}.log").read_text()
    assert f"checkpoint ({folder}/epoch_2.pth) is damaged" in said
    assert f"going on from {folder}/epoch_1.pth." in said
    assert "Going on with epoch 2 at batch 1 of 7, iteration 8." in said
    launch.train(config(folder.parent / "whole", {"train_cfg.max_epochs": 3}))
    weights = [read_checkpoint(path / "epoch_3.pth")["state_dict"] for path in (folder, folder.parent / "whole")]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


class TestLastGoodCheckpoint:
    def save(self, folder: Path, name: str, iteration: int, time: str = "20260101_000000") -> Path:
        torch.save({"meta": {"iter": iteration, "time": time}, "optimizer": {}, "state_dict": {}}, folder / name)
        return folder / name

    def test_a_new_folder_has_none(self, tmp_path, capsys):
        MMLogger.get_instance("none", log_level="INFO")
        assert last_good_checkpoint(tmp_path) is None
        assert f"{tmp_path} holds no checkpoint to resume: training starts anew." in capsys.readouterr().out

    def test_a_folder_that_was_copied_goes_on_from_its_own(self, tmp_path):
        (tmp_path / "first").mkdir()
        named = self.save(tmp_path / "first", "epoch_2.pth", 20)
        (tmp_path / "first" / "last_checkpoint").write_text(str(named))
        self.save(tmp_path / "first", "epoch_1.pth", 10)
        shutil.copytree(tmp_path / "first", tmp_path / "copy")
        assert last_good_checkpoint(tmp_path / "copy") == str(tmp_path / "copy" / "epoch_2.pth")
        (tmp_path / "copy" / "epoch_2.pth").unlink()
        assert last_good_checkpoint(tmp_path / "copy") == str(tmp_path / "copy" / "epoch_1.pth")

    def test_checkpoints_that_are_written_elsewhere(self, tmp_path):
        (tmp_path / "work").mkdir()
        named = self.save(tmp_path, "epoch_2.pth", 20)
        (tmp_path / "work" / "last_checkpoint").write_text(str(named))
        assert last_good_checkpoint(tmp_path / "work") == str(named)

    def test_a_folder_that_was_moved(self, tmp_path):
        path = self.save(tmp_path, "epoch_1.pth", 10)
        (tmp_path / "last_checkpoint").write_text("/elsewhere/epoch_1.pth")
        assert last_good_checkpoint(tmp_path) == str(path)

    def test_the_newest_of_the_others(self, tmp_path):
        self.save(tmp_path, "epoch_7.pth", 70, "20260101_000000")  # of an earlier training in this folder
        self.save(tmp_path, "epoch_1.pth", 10, "20260102_000000")
        newest = self.save(tmp_path, "epoch_2.pth", 20, "20260103_000000")
        torch.save({"state_dict": {}}, tmp_path / "best_acc_epoch_2.pth")
        (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_3.pth"))
        (tmp_path / "epoch_3.pth").write_bytes(b"PK\x03\x04")
        assert last_good_checkpoint(tmp_path) == str(newest)
        (tmp_path / "last_checkpoint").unlink()
        assert last_good_checkpoint(tmp_path) == str(newest)

    def test_none_is_whole(self, tmp_path):
        (tmp_path / "epoch_1.pth").write_bytes(b"")
        with pytest.raises(
            UserError, match=r"nothing to resume in .*epoch_1.pth\) is damaged.*--resume CHECKPOINT, or delete"
        ):
            last_good_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"optim_wrapper.optimizer": dict(_delete_=True, type="AdamW", lr=0.01)},
            r"is of another optimizer than AdamW \(it has .*momentum.*, and no .*betas",
        ),
        (
            {"optim_wrapper.paramwise_cfg": dict(norm_decay_mult=0.0), "optim_wrapper.optimizer.weight_decay": 0.01},
            "has its parameters in other groups than this run's",
        ),
    ],
)
def test_the_state_of_another_optimizer_is_refused(run, config, changes, said):
    folder, _ = run
    with pytest.raises(UserError, match=f"the checkpoint.* {said}.*start from its weights with load_from"):
        launch.train(config(folder, {"resume": True, "train_cfg.max_epochs": 3, **changes}))


def test_the_best_checkpoint_of_another_folder_is_left_alone(run, config):
    folder, _ = run
    best = next(folder.glob("best_*.pth"))
    last = read_checkpoint(folder / "epoch_2.pth")
    last["message_hub"]["runtime_info"]["best_score"] = -1.0  # any score is better
    torch.save(last, folder.parent / "last.pth")
    changes = {"resume": True, "load_from": str(folder.parent / "last.pth"), "train_cfg.max_epochs": 3}
    runner = launch.train(config(folder.parent / "other", changes))
    assert best.is_file()
    assert len(list((folder.parent / "other").glob("best_*.pth"))) == 1
    said = (Path(runner.log_dir) / f"{runner.timestamp}.log").read_text()
    assert f"The best checkpoint so far, {best}, is not in {folder.parent / 'other'}: it is left alone" in said


def test_a_full_disk_ends_training_with_one_sentence(tmp_path, config, capfd):
    """A limit on the size of a file, which any user can set, stops the writing in the kernel."""
    # MMEngine ends a schedule at max_epochs unless it says otherwise, and that is to change here
    changes = {"default_hooks.checkpoint.every_iters": None, "param_scheduler.1.end": 9}
    cfg = config(tmp_path / "run", changes)
    cfg.dump(str(tmp_path / "tiny.py"))
    train = tool("train")
    child = os.fork()
    if child == 0:
        try:
            cfg, code = str(tmp_path / "tiny.py"), 9
            if train([cfg, "--cfg-options", "train_cfg.max_epochs=1"]) == 0:
                size = (tmp_path / "run" / "epoch_1.pth").stat().st_size
                resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
                code = train([cfg, "--resume"])
        finally:  # whatever is raised, this process is not to go on as a second pytest
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    error = capfd.readouterr().err
    assert "Traceback" not in error
    assert "Logging error" not in error
    assert "epoch_2.pth could not be written: File too large (" in error.splitlines()[-1]
    assert "what was there before stands: make room, then go on with --resume." in error.splitlines()[-1]
    assert {path.name for path in (tmp_path / "run").glob("*")} >= {"epoch_1.pth"}
    assert not list((tmp_path / "run").glob("**/*epoch_2.pth*"))
    assert train([str(tmp_path / "tiny.py"), "--resume"]) == 0  # with room again
    launch.train(config(tmp_path / "whole", changes))
    weights = [read_checkpoint(tmp_path / name / "epoch_2.pth")["state_dict"] for name in ("run", "whole")]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


class Payload:
    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_code_in_a_checkpoint_is_not_run_by_any_tool(run, capsys, tmp_path):
    folder, config = run
    checkpoint = str(folder / "epoch_2.pth")
    torch.save({**read_checkpoint(checkpoint), "x": Payload(tmp_path / "ran")}, checkpoint)
    work = ["--work-dir", str(tmp_path / "other")]
    for main, arguments in (
        (tool("train"), ["--resume", checkpoint]),
        (tool("train"), ["--cfg-options", f"load_from={checkpoint}"]),
        (tool("test"), [checkpoint]),
    ):
        message = error_of(capsys, main([config, *arguments, *work]))
        assert f"checkpoint ({checkpoint}) holds posix.mkdir, which is no type of data" in message
    assert not (tmp_path / "ran").exists()
