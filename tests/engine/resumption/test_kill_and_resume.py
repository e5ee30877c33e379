"""``kill -9`` at a random moment, then ``--resume``: the run ends as one that was never interrupted, to the last bit."""

import re

import pytest


def test_two_kills(tmp_path, assert_survives):
    # long enough that two lives of up to a second do not end it
    said = assert_survives(tmp_path, kills=2, changes={"train_dataloader.num_workers": 1, "train_cfg.max_epochs": 16})
    assert re.search(r"Going on from \S+killed/\w+\.pth, the last checkpoint", said)
    assert re.search(
        r"Going on with (epoch \d+ at batch \d+ of 7, iteration \d+|epoch \d+, whose batches|the validation of epoch \d+)",
        said,
    )


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_ten_kills(tmp_path, assert_survives, workers: int):
    changes = {"train_dataloader.num_workers": workers, "train_cfg.max_epochs": 40}
    assert_survives(tmp_path, kills=10, changes=changes)


@pytest.mark.slow
def test_ten_kills_of_two_processes(tmp_path, assert_survives):
    changes = {"train_dataloader.num_workers": 1, "train_cfg.max_epochs": 40, "model_wrapper_cfg": None}
    assert_survives(tmp_path, kills=10, changes=changes, processes=2)


@pytest.mark.slow
def test_ten_kills_of_an_averaging_and_accumulating_run(tmp_path, assert_survives):
    changes = {
        "train_cfg.max_epochs": 40,
        "custom_hooks": [dict(type="EMAHook", momentum=0.1)],
        "default_hooks.checkpoint.by_epoch": False,
        "default_hooks.checkpoint.interval": 3,
        "default_hooks.checkpoint.every_iters": None,
        "optim_wrapper.accumulative_counts": 4,
    }
    assert_survives(tmp_path, kills=10, changes=changes)


@pytest.mark.slow
def test_gradients_of_several_processes_are_not_lost_silently(tmp_path, config, start):
    """Each has its own between two updates, and no checkpoint holds them: the run is refused before it begins."""
    cfg = config(tmp_path / "run", {"optim_wrapper.accumulative_counts": 3})
    run = start(cfg, processes=2)
    assert all(run.wait(check=False))
    said = "accumulative_counts (3) must divide the 4 batches of an epoch where several processes train"
    assert said in (tmp_path / "run" / "console.txt").read_text()
