"""The image classifier: loss, mixup, prediction, and MMAction2's metrics on its samples."""

import pytest
import torch
from mmaction.evaluation import AccMetric
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from cgc_video.datasets.faults import SKIPPED
from cgc_video.evaluation.class_report import ClassReport
from cgc_video.evaluation.scored_clips import ScoredClips
from cgc_video.models import ImageClassifier

MIXUP = dict(type="MixupBlending", num_classes=6, alpha=0.2)
BACKBONES = {
    "plain": {},
    "cgc": dict(conv_cfg=dict(type="CGC2d")),
    "se": dict(block_plugin=dict(type="SE")),
    "cbam-cgc": dict(block_plugin=dict(type="CBAM"), conv_cfg=dict(type="CGC2d")),
    "bam": dict(stage_plugin=dict(type="BAM")),
    "gc": dict(block_plugin=dict(type="ContextBlock", ratio=1 / 16)),
}


def build(backbone: dict | None = None, blending: dict | None = None, **head) -> ImageClassifier:
    cfg = dict(
        type="ImageClassifier",
        backbone=dict(type="CIFARResNet", depth=20, **(backbone or {})),
        cls_head=dict(type="LinearHead", num_classes=6, in_channels=64, **head),
        data_preprocessor=dict(
            type="ActionDataPreprocessor", mean=[120.0] * 3, std=[60.0] * 3, format_shape="NCHW", blending=blending
        ),
    )
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg)
    model.init_weights()
    return model


def batch(size: int) -> dict:
    """Images of uint8 and labels 0, 1, 2 and so on."""
    return {
        "inputs": [torch.randint(256, (3, 32, 32), dtype=torch.uint8) for _ in range(size)],
        "data_samples": [ActionDataSample().set_gt_label(i % 6) for i in range(size)],
    }


def scores_of(model: ImageClassifier, images: list[Tensor]) -> Tensor:
    x = torch.stack(images).float().sub(120.0).div(60.0)
    return model.cls_head.fc_cls(model.backbone(x).mean((2, 3)))


def test_the_loss_is_cross_entropy_and_names_the_accuracy():
    model, data = build().eval(), batch(4)
    expected = scores_of(model, data["inputs"])
    losses = model(**model.data_preprocessor(data, training=True), mode="loss")
    assert set(losses) == {"loss_cls", "top1_acc", "top5_acc"}
    labels = torch.arange(4)
    torch.testing.assert_close(losses["loss_cls"], nn.functional.cross_entropy(expected, labels))
    assert losses["top1_acc"].item() == pytest.approx((expected.argmax(1) == labels).float().mean().item())


@pytest.mark.parametrize("size", [6, 4, 1])
def test_mixup_mixes_images_and_labels_alike_and_soft_labels_reach_the_loss(size: int):
    model, data = build(blending=MIXUP).eval(), batch(size)
    images = torch.stack(data["inputs"]).float().sub(120.0).div(60.0)
    mixed = model.data_preprocessor(data, training=True)
    soft = torch.stack([sample.gt_label for sample in mixed["data_samples"]])  # (N, classes)
    assert soft.shape == (size, 6)
    torch.testing.assert_close(soft.sum(1), torch.ones(size))
    # each image has a class of its own, so that the labels say what was mixed
    torch.testing.assert_close(mixed["inputs"], torch.einsum("nm,mchw->nchw", soft[:, :size], images))
    losses = model(**mixed, mode="loss")
    assert set(losses) == {"loss_cls"}  # a mixture has no accuracy
    log_p = model.cls_head(model.backbone(mixed["inputs"])).log_softmax(1)
    torch.testing.assert_close(losses["loss_cls"], -(soft * log_p).sum(1).mean())


def test_mixup_really_mixes():
    model = build(blending=dict(MIXUP, alpha=1.0))
    soft = [
        sample.gt_label for _ in range(4) for sample in model.data_preprocessor(batch(6), training=True)["data_samples"]
    ]
    assert max(label.gt(0).sum() for label in soft) == 2


def test_mixup_leaves_tests_alone():
    model, data = build(blending=MIXUP).eval(), batch(3)
    with torch.no_grad():
        expected = scores_of(model, data["inputs"]).softmax(1)
        samples = model.test_step(data)
    torch.testing.assert_close(torch.stack([sample.pred_score for sample in samples]), expected)
    assert [sample.gt_label.tolist() for sample in samples] == [[0], [1], [2]]


@pytest.mark.parametrize(("name", "blending"), [*((name, None) for name in BACKBONES), ("cbam-cgc", MIXUP)], ids=str)
def test_a_few_steps_learn_a_batch(name: str, blending: dict | None):
    model, data = build(BACKBONES[name], blending).train(), batch(6)
    wrapper = build_optim_wrapper(model, dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9)))
    losses = [model.train_step(data, wrapper)["loss"].item() for _ in range(6)]
    assert min(losses[3:]) < 0.98 * losses[0]


def test_label_smoothing_and_dropout_are_the_heads():
    model = build(label_smooth_eps=0.1, dropout_ratio=0.5).train()
    features = torch.ones(64, 64, 2, 2)
    assert model.cls_head.forward(features).std(0).min() > 0
    data = batch(4)
    log_p = torch.log_softmax(scores_of(model.eval(), data["inputs"]), 1)
    losses = model(**model.data_preprocessor(data, training=True), mode="loss")
    smooth = nn.functional.one_hot(torch.arange(4), 6) * 0.9 + 0.1 / 6
    torch.testing.assert_close(losses["loss_cls"], -(smooth * log_p).sum(1).mean())


def test_weights_start_as_the_settings_say():
    model = build(BACKBONES["cgc"], init_std=0.02)
    assert not model.cls_head.fc_cls.bias.any()
    assert model.cls_head.fc_cls.weight.std().item() == pytest.approx(0.02, rel=0.2)
    for module in model.backbone.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 4000:
            fan_out = module.weight[:, 0].numel()
            assert module.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)


def test_predictions_suit_the_metrics_and_skip_bad_files():
    model, data = build().eval(), batch(5)
    data["data_samples"][3].set_metainfo({SKIPPED: "bad.jpg"})
    with torch.no_grad():
        samples = model.val_step(data)
    right = [int(sample.pred_label) == label for label, sample in enumerate(samples) if label != 3]
    evaluator = ScoredClips([AccMetric(), ClassReport(log_table=False)])
    evaluator.process([sample.to_dict() for sample in samples])
    metrics = evaluator.evaluate(5)
    assert metrics["acc/top1"] == pytest.approx(sum(right) / 4)
    assert (metrics["scored/clips"], metrics["scored/skipped"], metrics["report/clips"]) == (4, 1, 4)
    assert evaluator.skipped == ["bad.jpg"]


def test_tensor_mode_gives_features_or_scores():
    model, x = build().eval(), torch.randn(2, 3, 32, 32)
    assert model(x).shape == (2, 64, 8, 8)
    assert model(x, stage="head").shape == (2, 6)
