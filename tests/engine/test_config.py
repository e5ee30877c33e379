"""Options merged into a config: what is allowed, what is refused, what goes first."""

import pytest
from mmengine.config import Config

from cgc_video.engine.config import load_config, merge_options, set_launcher, set_work_dir
from cgc_video.engine.options import add_dump, apply_train_options, show_predictions
from cgc_video.errors import UserError


def config() -> Config:
    return Config(
        dict(
            model=dict(type="A", backbone=dict(type="B")),
            optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.1)),
            hooks=[dict(a=1), dict(a=2)],
            val_cfg=dict(),
            val_dataloader=dict(),
            val_evaluator=dict(),
        )
    )


def test_load_merges_options_and_sets_the_scope(tmp_path):
    path = tmp_path / "c.py"
    path.write_text("model = dict(type='A')\nlr = 1\n")
    cfg = load_config(str(path), {"lr": 2, "model.depth": 18})
    assert (cfg.lr, cfg.model.depth, cfg.default_scope) == (2, 18, "mmaction")


def test_new_leaves_and_list_items_are_allowed():
    cfg = config()
    merge_options(cfg, {"model.backbone.depth": 18, "hooks.1.a": 3, "load_from": "x.pth", "model.neck.type": "C"})
    assert cfg.model.backbone.depth == 18
    assert cfg.hooks[1].a == 3
    assert cfg.load_from == "x.pth"
    assert cfg.model.neck.type == "C"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("modle.type", "has no 'modle' .did you mean 'model'"),
        ("model.backbon.depth", "did you mean 'backbone'"),
        ("hooks.2.a", "list of 2"),
        ("hooks.x.a", "list of 2"),
        ("model.type.deep", "is a value"),
    ],
)
def test_mistyped_keys_are_refused(key, said):
    with pytest.raises(UserError, match=said):
        merge_options(config(), {key: 1})


def test_work_dir_priority():
    cfg = config()
    set_work_dir(cfg, "configs/name.py", None)
    assert cfg.work_dir == "./work_dirs/name"
    set_work_dir(cfg, "configs/name.py", "cli")
    assert cfg.work_dir == "cli"
    set_work_dir(cfg, "configs/name.py", None)  # now the config's own
    assert cfg.work_dir == "cli"


def test_torchrun_is_needed_for_the_pytorch_launcher(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(UserError, match=r"bash tools/dist_train\.sh CONFIG N"):
        set_launcher(config(), "pytorch")


def test_train_options():
    cfg = config()
    cfg.randomness = dict(seed=1, deterministic=True)
    cfg.auto_scale_lr = dict(enable=False, base_batch_size=8)
    apply_train_options(cfg, resume="auto", amp=True, no_validate=True, auto_scale_lr=True, seed=5)
    assert cfg.resume is True
    assert cfg.load_from is None
    assert cfg.optim_wrapper.type == "AmpOptimWrapper"
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
    assert cfg.auto_scale_lr.enable is True
    assert cfg.randomness == dict(seed=5, deterministic=True)
    apply_train_options(cfg, resume="a.pth")
    assert cfg.load_from == "a.pth"


def test_options_that_do_not_fit():
    with pytest.raises(UserError, match="base_batch_size"):
        apply_train_options(config(), auto_scale_lr=True)
    cfg = config()
    cfg.optim_wrapper.type = "Mine"
    with pytest.raises(UserError, match="'Mine'"):
        apply_train_options(cfg, amp=True)
    with pytest.raises(UserError, match=r"--dump .*\.pkl"):
        add_dump(config(), "a.txt")


def test_showing_needs_a_display(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(UserError, match="--show-dir"):
        show_predictions(config(), show=True)
    cfg = config()
    show_predictions(cfg, show_dir="out", interval=3)
    assert cfg.custom_hooks[0].out_dir == "out"
