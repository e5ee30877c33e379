"""The configs for images say what the paper says."""

from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope
from torch import nn

FOLDER = Path(__file__).resolve().parents[2] / "configs"
CGC = dict(type="CGC2d")
SE, CBAM = dict(block_plugin=dict(type="SE")), dict(block_plugin=dict(type="CBAM"))
BAM, GC = dict(stage_plugin=dict(type="BAM")), dict(block_plugin=dict(type="ContextBlock", ratio=1 / 16))
# Options of the backbone, by row of the tables
TABLE_1 = {
    "resnet50_imagenet": {},
    "resnet50_cgc_imagenet": dict(conv_cfg=CGC),
    "resnet50_se_imagenet": SE,
    "resnet50_bam_imagenet": BAM,
    "resnet50_gc_imagenet": GC,
    "resnet50_cbam_imagenet": CBAM,
    "resnet50_cbam_cgc_imagenet": dict(**CBAM, conv_cfg=CGC),
    "resnet50_imagenet_advanced": {},
    "resnet50_cgc_imagenet_advanced": dict(conv_cfg=CGC),
    "resnet50_se_imagenet_advanced": SE,
    "resnet50_cbam_imagenet_advanced": CBAM,
    "resnet50_cbam_cgc_imagenet_advanced": dict(**CBAM, conv_cfg=CGC),
    "resnet110_cifar10": {},
    "resnet110_cgc_cifar10": dict(conv_cfg=CGC),
}
TABLE_2 = {
    "resnet50_objectnet": {},
    "resnet50_cgc_objectnet": dict(conv_cfg=CGC),
    "resnet50_se_objectnet": SE,
    "resnet50_cbam_objectnet": CBAM,
}
TABLE_3 = {
    "resnet110_cgc_only_g1_cifar10": dict(conv_cfg=dict(**CGC, gate="in")),
    "resnet110_cgc_only_g2_cifar10": dict(conv_cfg=dict(**CGC, gate="out")),
    "resnet110_cgc_product_cifar10": dict(conv_cfg=dict(**CGC, gate="product")),
    "resnet110_cgc_full_interaction_cifar10": dict(conv_cfg=dict(**CGC, channel_groups=1)),
    "resnet110_cgc_no_bottleneck_cifar10": dict(conv_cfg=dict(**CGC, latent_dim=9)),
    "resnet110_cgc_shared_norm_cifar10": dict(conv_cfg=dict(**CGC, shared_norm=True)),
    "resnet110_cgc_two_encoders_cifar10": dict(conv_cfg=dict(**CGC, two_encoders=True)),
    "resnet110_cgc_shared_decoder_cifar10": dict(conv_cfg=dict(**CGC, shared_decoder=True)),
    "resnet110_cgc_double_grid_cifar10": dict(conv_cfg=dict(**CGC, context_scale=2)),
    "resnet110_cgc_max_pool_cifar10": dict(conv_cfg=dict(**CGC, pool="max")),
    "resnet110_cgc_res123_cifar10": dict(conv_cfg=CGC, gated_stages=(1, 2, 3)),
    "resnet110_cgc_res23_cifar10": dict(conv_cfg=CGC, gated_stages=(2, 3)),
    "resnet110_cgc_res3_cifar10": dict(conv_cfg=CGC, gated_stages=(3,)),
    "resnet50_cgc_shared_norm_imagenet": dict(conv_cfg=dict(**CGC, shared_norm=True)),
    "resnet50_cgc_shared_decoder_imagenet": dict(conv_cfg=dict(**CGC, shared_decoder=True)),
    "resnet50_cgc_double_grid_imagenet": dict(conv_cfg=dict(**CGC, context_scale=2)),
}
ROWS = {**TABLE_1, **TABLE_2, **TABLE_3}


def load(name: str) -> Config:
    return Config.fromfile(str(FOLDER / f"{name}.py"))


def rates(cfg: Config, epoch_length: int) -> list[float]:
    """The learning rate of each iteration, as MMEngine's schedulers step."""
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=cfg.optim_wrapper.optimizer.lr)
    schedulers = []
    for scheduler in cfg.param_scheduler:
        convert = scheduler.get("convert_to_iter_based", False)
        kind = PARAM_SCHEDULERS.get(scheduler["type"])
        options = {key: value for key, value in scheduler.items() if key not in ("type", "convert_to_iter_based")}
        if convert:
            schedulers.append(kind.build_iter_from_epoch(optimizer, **options, epoch_length=epoch_length))
        else:
            schedulers.append(kind(optimizer, **options))
    seen = []
    for _ in range(cfg.train_cfg.max_epochs):
        for _ in range(epoch_length):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            for scheduler in schedulers:
                if not scheduler.by_epoch:
                    scheduler.step()
        for scheduler in schedulers:
            if scheduler.by_epoch:
                scheduler.step()
    return seen


@pytest.mark.parametrize("name", ROWS)
def test_each_row_is_one_config_whose_backbone_has_the_rows_options(name: str):
    backbone = load(name).model.backbone.to_dict()
    kind, depth = ("ImageResNet", 50) if name.startswith("resnet50") else ("CIFARResNet", 110)
    assert backbone == dict(type=kind, depth=depth, **ROWS[name])


@pytest.mark.parametrize("name", [name for name in ROWS if "_base_ = [" not in (FOLDER / f"{name}.py").read_text()])
def test_a_row_is_its_baseline_plus_one_line(name: str):
    lines = [line for line in (FOLDER / f"{name}.py").read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) == 2
    assert lines[0].startswith("_base_ = ")


def test_default_setting_of_a2():
    cfg = load("resnet50_cgc_imagenet")
    assert cfg.train_cfg.max_epochs == 100
    by_epoch = rates(cfg, 1)
    expected = [0.1] * 30 + [0.01] * 30 + [0.001] * 30 + [0.0001] * 10
    assert by_epoch == pytest.approx(expected)
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.momentum, optimizer.weight_decay) == ("SGD", 0.9, 1e-4)
    assert cfg.auto_scale_lr.base_batch_size == 8 * cfg.train_dataloader.batch_size == 256
    assert cfg.model.data_preprocessor.get("blending") is None
    assert cfg.num_classes == cfg.model.cls_head.num_classes == 1000


def test_advanced_setting_of_a2():
    cfg = load("resnet50_cgc_imagenet_advanced")
    assert cfg.train_cfg.max_epochs == 120
    by_iteration = rates(cfg, 10)
    warm_up, cosine = torch.tensor(by_iteration[:50]), torch.tensor(by_iteration[50:])
    assert warm_up[0] < 1e-4
    torch.testing.assert_close(warm_up, torch.linspace(1e-5, 0.1, 50))
    steps = torch.arange(len(cosine))
    torch.testing.assert_close(cosine, 0.05 * (1 + torch.cos(torch.pi * steps / 1150)), atol=1e-4, rtol=0)
    assert cfg.model.data_preprocessor.blending == dict(type="MixupBlending", num_classes=1000, alpha=0.2)
    default = load("resnet50_cgc_imagenet")
    assert cfg.optim_wrapper == default.optim_wrapper
    assert cfg.train_dataloader == default.train_dataloader


def test_cifar10_setting_of_a2():
    cfg = load("resnet110_cgc_cifar10")
    assert cfg.train_cfg.max_epochs == 164
    # an epoch at 0.01 first (He et al.), then down at the 81st and 122nd
    assert rates(cfg, 1) == pytest.approx([0.01] + [0.1] * 80 + [0.01] * 41 + [0.001] * 42)
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.momentum, optimizer.weight_decay) == ("SGD", 0.9, 1e-4)
    assert cfg.auto_scale_lr.base_batch_size == cfg.train_dataloader.batch_size == 128
    assert cfg.num_classes == cfg.model.cls_head.num_classes == 10


@pytest.mark.parametrize("name", TABLE_2)
def test_objectnet_tests_what_imagenet_trains(name: str):
    cfg, trained = load(name), load(name.replace("objectnet", "imagenet"))
    for key in ("model", "train_dataloader", "val_dataloader", "val_evaluator", "optim_wrapper", "train_cfg"):
        assert cfg[key] == trained[key], key
    assert cfg.test_dataloader.dataset.type == "ObjectNet"
    assert [evaluator.type for evaluator in cfg.test_evaluator] == ["MappedAccuracy"]
    steps = {step.type: step for step in cfg.test_dataloader.dataset.pipeline}
    assert steps["CropBorder"].width == 2
    assert steps["mmengine.CenterCrop"].crop_size == 224


@pytest.mark.parametrize("name", ["resnet50_cbam_cgc_imagenet", "resnet110_cgc_cifar10"])
def test_gates_train_at_a_tenth_of_the_rate_and_everything_decays(name: str):
    cfg = load(name)
    cfg.model.backbone.depth = {50: 50, 110: 20}[cfg.model.backbone.depth]  # the rule is the same in each block
    with DefaultScope.overwrite_default_scope(cfg.default_scope), torch.device("meta"):
        model = MODELS.build(cfg.model)
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    names = {id(value): name for name, value in model.named_parameters()}
    groups = {names[id(group["params"][0])]: group for group in wrapper.optimizer.param_groups}
    assert len(groups) == len(names)
    assert any(".gate." in name for name in groups)
    for name, group in groups.items():
        assert group["lr"] == pytest.approx(0.01 if ".gate." in name else 0.1), name
        assert group["weight_decay"] == 1e-4, name
