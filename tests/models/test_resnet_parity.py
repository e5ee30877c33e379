"""Our ResNet-50 is the published one: the architecture written out as functions, over weights under torchvision's names."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint
from torch import Tensor, nn

from cgc_video.models import ImageClassifier
from cgc_video.models.pretrained import load_pretrained

BLOCKS = (3, 4, 6, 3)


def published_shapes(classes: int = 1000) -> dict[str, tuple[int, ...]]:
    """Names and shapes of He et al., CVPR 2016, Table 1, 50 layers; projection where a stage changes the width."""
    shapes: dict[str, tuple[int, ...]] = {}

    def conv_and_norm(conv: str, norm: str, out_channels: int, in_channels: int, kernel: int) -> None:
        shapes[f"{conv}.weight"] = (out_channels, in_channels, kernel, kernel)
        shapes.update({f"{norm}.{name}": (out_channels,) for name in ("weight", "bias", "running_mean", "running_var")})

    conv_and_norm("conv1", "bn1", 64, 3, 7)
    channels = 64
    for stage, blocks in enumerate(BLOCKS, start=1):
        width = 64 * 2 ** (stage - 1)
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            conv_and_norm(f"{name}.conv1", f"{name}.bn1", width, channels, 1)
            conv_and_norm(f"{name}.conv2", f"{name}.bn2", width, width, 3)
            conv_and_norm(f"{name}.conv3", f"{name}.bn3", 4 * width, width, 1)
            if block == 0:
                conv_and_norm(f"{name}.downsample.0", f"{name}.downsample.1", 4 * width, channels, 1)
            channels = 4 * width
    return {**shapes, "fc.weight": (classes, channels), "fc.bias": (classes,)}


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    """Random weights at which features keep their size."""
    generator = torch.Generator().manual_seed(0)

    def values(name: str, shape: tuple[int, ...]) -> Tensor:
        if name.endswith(("running_var", "bn1.weight", "bn2.weight", "bn3.weight", "downsample.1.weight")):
            return torch.rand(shape, generator=generator) + 0.5
        return torch.randn(shape, generator=generator) * (2 / shape[1:].numel()) ** 0.5

    return {name: values(name, torch.Size(shape)) for name, shape in published_shapes().items()}


def published_forward(x: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, list[tuple[int, ...]]]:
    """Scores of the published network, and the shapes behind the stem and each stage. A 3x3 convolution holds the stride."""

    def norm(x: Tensor, name: str) -> Tensor:
        return F.batch_norm(x, *(state[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")))

    x = F.conv2d(x, state["conv1.weight"], stride=2, padding=3)
    x = F.max_pool2d(F.relu(norm(x, "bn1")), kernel_size=3, stride=2, padding=1)
    shapes = [tuple(x.shape)]
    for stage, blocks in enumerate(BLOCKS, start=1):
        for block in range(blocks):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = F.relu(norm(F.conv2d(x, state[f"{name}.conv1.weight"]), f"{name}.bn1"))
            y = F.relu(norm(F.conv2d(y, state[f"{name}.conv2.weight"], stride=stride, padding=1), f"{name}.bn2"))
            y = norm(F.conv2d(y, state[f"{name}.conv3.weight"]), f"{name}.bn3")
            if block == 0:
                x = norm(F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride), f"{name}.downsample.1")
            x = F.relu(x + y)
        shapes.append(tuple(x.shape))
    return F.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"]), shapes


def classifier(**backbone) -> ImageClassifier:
    cfg = dict(
        type="ImageClassifier",
        backbone=dict(type="ImageResNet", depth=50, **backbone),
        cls_head=dict(type="LinearHead", in_channels=2048, num_classes=1000),
    )
    with DefaultScope.overwrite_default_scope("mmaction"):
        return MODELS.build(cfg)


@torch.no_grad()
def assert_computes_the_published_network(model: ImageClassifier, state: dict[str, Tensor]) -> None:
    x = torch.randn(2, 3, 64, 96)
    expected, _ = published_forward(x, state)
    scores, _ = model.eval().extract_feat(x, stage="head")
    scale = expected.abs().max()
    torch.testing.assert_close(scores / scale, expected / scale, atol=1e-5, rtol=0)


def test_the_count_of_the_published_architecture():
    shapes = published_shapes()
    learned = {name: shape for name, shape in shapes.items() if "running" not in name}
    assert sum(torch.Size(shape).numel() for shape in learned.values()) == 25_557_032
    with torch.device("meta"):
        assert sum(p.numel() for p in classifier().parameters()) == 25_557_032


def test_the_features_shrink_as_published(state: dict[str, Tensor]):
    shapes = []
    model = classifier().eval()
    model.backbone.maxpool.register_forward_hook(lambda module, args, y: shapes.append(tuple(y.shape)))
    for stage in (1, 2, 3, 4):
        layer = getattr(model.backbone, f"layer{stage}")
        layer.register_forward_hook(lambda module, args, y: shapes.append(tuple(y.shape)))
        strides = [block.conv2.conv.stride for block in layer]
        assert strides == [(2, 2) if stage > 1 and index == 0 else (1, 1) for index in range(len(layer))]
        assert all(conv.conv.stride == (1, 1) for block in layer for conv in (block.conv1, block.conv3))
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        model.backbone(x)
        assert shapes == published_forward(x, state)[1]
    assert shapes[0] == (1, 64, 56, 56)
    assert shapes[-1] == (1, 2048, 7, 7)


@pytest.mark.parametrize("counters", [True, False], ids=["with counters", "as of before torch 1.0"])
def test_torchs_own_loader_takes_torchvisions_names(state: dict[str, Tensor], counters: bool):
    given = dict(state)
    if counters:
        given |= {
            name.replace("running_mean", "num_batches_tracked"): torch.tensor(5)
            for name in state
            if name.endswith("running_mean")
        }
    before = list(given)
    model = classifier()
    model.load_state_dict(given)
    assert list(given) == before
    assert_computes_the_published_network(model, state)


@pytest.mark.parametrize("conv_cfg", [None, dict(type="CGC2d")], ids=["plain", "cgc"])
@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "of a parallel model"])
def test_load_from_takes_a_torchvision_checkpoint(tmp_path, state: dict[str, Tensor], conv_cfg, wrapped: bool):
    content = {"state_dict": {f"module.{name}": value for name, value in state.items()}} if wrapped else state
    torch.save(content, tmp_path / "resnet50.pth")
    model = classifier(conv_cfg=conv_cfg)
    load_checkpoint(model, str(tmp_path / "resnet50.pth"), map_location="cpu")
    assert_computes_the_published_network(model, state)


def test_pretrained_takes_its_backbone_alone(tmp_path, state: dict[str, Tensor]):
    torch.save(state, tmp_path / "resnet50.pth")
    model = classifier()
    report = load_pretrained(model.backbone, str(tmp_path / "resnet50.pth"))
    assert report.match == 1.0
    assert report.missing == report.unexpected == report.mismatched == report.new_parts == []
    model.cls_head.load_state_dict({"fc_cls.weight": state["fc.weight"], "fc_cls.bias": state["fc.bias"]})
    assert_computes_the_published_network(model, state)


@pytest.mark.parametrize("plugin", [dict(block_plugin=dict(type="CBAM")), dict(stage_plugin=dict(type="BAM"))], ids=str)
def test_pretrained_reports_plugins_as_new(tmp_path, state: dict[str, Tensor], plugin: dict):
    torch.save(state, tmp_path / "resnet50.pth")
    model = classifier(**plugin)
    report = load_pretrained(model.backbone, str(tmp_path / "resnet50.pth"))
    assert report.match == 1.0
    assert report.missing == []
    assert report.new_parts
    assert all(".plugin." in name for name in report.new_parts)


def test_own_names_load_as_they_are():
    model, other = classifier(), classifier()
    nn.init.normal_(model.cls_head.fc_cls.bias)
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other.cls_head.fc_cls.bias, model.cls_head.fc_cls.bias)
