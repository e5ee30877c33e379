"""Numbers that are refused by their place in the config."""

import pytest
from mmengine.config import Config
from torch import nn

from cgc_video.engine.checks.values import check_head, check_values
from cgc_video.errors import UserError

GOOD = dict(
    model=dict(cls_head=dict(num_classes=3, in_channels=512), backbone=dict(gated_stages=[0, 3])),
    train_cfg=dict(max_epochs=5, val_interval=1),
    optim_wrapper=dict(optimizer=dict(lr=0.1)),
    train_dataloader=dict(batch_size=2, num_workers=0),
    randomness=dict(seed=None),
)


def test_a_usual_config_passes():
    check_values(Config(GOOD))
    check_values(Config(dict(model=dict(type="Other"))))


@pytest.mark.parametrize(
    ("way", "value", "rule"),
    [
        ("model.cls_head.num_classes", "six", "must be a whole number of at least 1"),
        ("model.cls_head.num_classes", True, "must be a whole number of at least 1"),
        ("model.backbone.gated_stages", 3, 'must be a list of stages, such as [3] or "[3,4]"'),
        ("train_dataloader.batch_size", 0, "must be a whole number of at least 1"),
        ("train_dataloader.batch_size", "a", "must be a whole number of at least 1"),
        ("train_dataloader.num_workers", -1, "must be a whole number of at least 0"),
        ("optim_wrapper.optimizer.lr", "abc", "must be a number of at least 0"),
        ("optim_wrapper.optimizer.lr", -1, "must be a number of at least 0"),
        ("optim_wrapper.optimizer.lr", float("nan"), "must be a number of at least 0"),
        ("optim_wrapper.optimizer.lr", float("inf"), "must be a number of at least 0"),
        ("randomness.seed", 2**32, "must be at most 4294967295"),
        ("train_cfg.max_epochs", "x", "must be a whole number of at least 1"),
        ("train_cfg.max_epochs", 0, "must be a whole number of at least 1"),
        ("randomness.seed", -1, "must be a whole number of at least 0"),
    ],
)
def test_what_is_refused(way, value, rule):
    cfg = Config(GOOD)
    cfg.merge_from_dict({way: value})
    with pytest.raises(UserError) as caught:
        check_values(cfg)
    assert str(caught.value).startswith(f"{way} ({value!r}) {rule}")


def test_a_head_of_another_width_is_refused():
    model = nn.Module()
    model.backbone, model.cls_head = nn.Module(), nn.Module()
    model.backbone.out_channels, model.cls_head.in_channels = 512, 2048
    with pytest.raises(UserError, match=r"in_channels \(2048\) must be 512, the channels of the backbone"):
        check_head(model)
    model.cls_head.in_channels = 512
    check_head(model)
    check_head(nn.Linear(2, 2))
