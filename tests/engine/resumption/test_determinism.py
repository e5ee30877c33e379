"""One seed gives one training."""

import torch

from cgc_video.engine import launch


def weights(runner) -> dict[str, torch.Tensor]:
    return runner.model.state_dict()


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_equal_seeds_give_equal_weights_whatever_the_number_of_workers(tmp_path, config):
    plain = {"default_hooks.checkpoint": None}
    variants = {
        "a": {},
        "again": {},
        "workers": {"train_dataloader.num_workers": 2, "train_dataloader.persistent_workers": True},
        "unvalidated": {"val_cfg": None, "val_dataloader": None, "val_evaluator": None},
    }
    runs = {
        name: weights(launch.train(config(tmp_path / name, {**plain, **change}))) for name, change in variants.items()
    }
    for name, found in runs.items():
        assert equal(found, runs["a"]), name
    other = weights(launch.train(config(tmp_path / "other", {**plain, "randomness": dict(seed=6)})))
    assert not equal(other, runs["a"])


def test_deterministic_algorithms(tmp_path, config):
    randomness = dict(seed=5, deterministic=True)
    try:
        launch.train(
            config(tmp_path, {"default_hooks.checkpoint": None, "randomness": randomness, "train_cfg.max_epochs": 1})
        )
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.benchmark
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.deterministic = False
