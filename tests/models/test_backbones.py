"""The backbones: equal to MMAction2's where plain, trainable everywhere, and pleasant where the input is wrong."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from torch import nn

from cgc_video.layers import CGC1d, CGC2d, CGC3d
from cgc_video.models import P3DResNet, TSMResNet, TSNResNet
from cgc_video.models.backbones.p3d import init_as_temporal_shift
from cgc_video.models.backbones.tsm import temporal_shift
from cgc_video.models.pretrained import canonical_key

NON_LOCAL = dict(
    non_local=((), (1, 0), (0, 1), ()),
    non_local_cfg=dict(mode="embedded_gaussian", sub_sample=True, norm_cfg=dict(type="BN3d")),
)
GATED = dict(conv_cfg=dict(type="CGC3d"))
VARIANTS = {
    "tsn": (TSNResNet, {}),
    "tsm": (TSMResNet, {}),
    "tsn-cgc": (TSNResNet, GATED),
    "tsm-cgc": (TSMResNet, GATED),
    "tsm-nl-cgc": (TSMResNet, {**NON_LOCAL, **GATED}),
    "p3d": (P3DResNet, {}),
    "p3d-nl": (P3DResNet, NON_LOCAL),
    "p3d-cgc": (P3DResNet, {**GATED, "temporal_conv_cfg": dict(type="CGC1d")}),
}


def build(name: str, depth: int = 18, **more) -> tuple[nn.Module, torch.Tensor]:
    backbone, options = VARIANTS[name]
    if backbone is P3DResNet:
        return backbone(depth, **options, **more), torch.randn(2, 3, 8, 32, 32)
    return backbone(depth, num_segments=4, **options, **more), torch.randn(8, 3, 32, 32)


@pytest.mark.parametrize("name", VARIANTS)
def test_forward_and_a_gradient_on_every_parameter(name: str):
    model, x = build(name)
    model.init_weights()
    for module in model.modules():  # away from the start, where decoders and non-local blocks are zero by design
        if isinstance(module, CGC1d | CGC3d) and module.gate is not None:
            nn.init.normal_(module.gate.decode_in.weight, std=0.1)
            nn.init.normal_(module.gate.decode_out.weight, std=0.1)
        if hasattr(module, "conv_out"):
            nn.init.ones_(module.conv_out.norm.weight)
    y = model(x)
    assert y.shape == ((2, 512, 2, 1, 1) if name.startswith("p3d") else (8, 512, 1, 1))
    y.square().sum().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # a bias of the keys adds the same to every logit of a softmax
    assert [n for n in without if not n.endswith("non_local.phi.0.conv.bias")] == []


@pytest.mark.parametrize("name", VARIANTS)
def test_state_dict_round_trip(name: str):
    model, x = build(name)
    other, _ = build(name)
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other.eval()(x), model.eval()(x), rtol=0, atol=0)


@pytest.mark.parametrize("depth", [18, 34, 50, 101])
@pytest.mark.parametrize("backbone", [TSNResNet, TSMResNet, P3DResNet])
def test_every_depth_builds_plain_and_gated(backbone: type, depth: int):
    with torch.device("meta"):
        plain, gated = backbone(depth), backbone(depth, conv_cfg=dict(type="CGC3d"))
    blocks = sum(plain.stage_blocks)
    spatial = 2 * blocks if depth < 50 else blocks
    assert sum(isinstance(m, CGC3d) and m.gate is not None for m in gated.modules()) == 1 + spatial
    assert plain.out_channels == (512 if depth < 50 else 2048)


def randomise(model: nn.Module) -> None:
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.copy_(
                torch.rand_like(value) + 0.5 if value.dim() == 1 else torch.randn_like(value) / value[0].numel() ** 0.5
            )


def assert_same_on_shared_weights(ours: nn.Module, theirs: nn.Module, x: torch.Tensor) -> None:
    """Equal to 1e-5 of the largest output, with the same random weights in both."""
    randomise(theirs)
    ours.load_state_dict({canonical_key(key): value for key, value in theirs.state_dict().items()})
    theirs.eval()
    expected = theirs(x)
    scale = expected.abs().max()
    torch.testing.assert_close(ours.eval()(x) / scale, expected / scale, atol=1e-5, rtol=0)


@pytest.mark.parametrize("depth", [18, 50, 101])
@pytest.mark.parametrize("kind", ["tsn", "tsm"])
def test_plain_baselines_equal_those_of_mmaction2(kind: str, depth: int):
    with DefaultScope.overwrite_default_scope("mmaction"):
        if kind == "tsn":
            theirs, ours = MODELS.build(dict(type="ResNet", depth=depth)), TSNResNet(depth, num_segments=4)
        else:
            theirs = MODELS.build(dict(type="ResNetTSM", depth=depth, num_segments=4, pretrained2d=False))
            ours = TSMResNet(depth, num_segments=4)
    assert_same_on_shared_weights(ours, theirs, torch.randn(4, 3, 64, 48))


def test_non_local_blocks_equal_those_of_mmaction2():
    flags = ((), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), ())
    cfg = dict(mode="embedded_gaussian", sub_sample=True, use_scale=False, norm_cfg=dict(type="BN3d"))
    with DefaultScope.overwrite_default_scope("mmaction"):
        theirs = MODELS.build(
            dict(type="ResNetTSM", depth=50, num_segments=4, pretrained2d=False, non_local=flags, non_local_cfg=cfg)
        )
    ours = TSMResNet(50, num_segments=4, non_local=flags, non_local_cfg=cfg)
    assert_same_on_shared_weights(ours, theirs, torch.randn(4, 3, 64, 64))


def test_shift_moves_an_eighth_of_the_channels_each_way():
    x = torch.arange(2 * 3 * 8.0).view(6, 8, 1, 1)
    clips, shifted = x.view(2, 3, 8), temporal_shift(x, num_segments=3, shift_div=8).view(2, 3, 8)
    torch.testing.assert_close(shifted[:, :2, 0], clips[:, 1:, 0])
    torch.testing.assert_close(shifted[:, 1:, 1], clips[:, :2, 1])
    torch.testing.assert_close(shifted[:, :, 2:], clips[:, :, 2:])
    assert not shifted[:, 2, 0].any()
    assert not shifted[:, 0, 1].any()


@pytest.mark.parametrize("kernel_size", [3, 5])
@pytest.mark.parametrize("layer", [nn.Conv3d, CGC1d])
def test_temporal_convolutions_start_as_the_shift(layer: type, kernel_size: int):
    conv = layer(16, 16, (kernel_size, 1, 1), padding=(kernel_size // 2, 0, 0), bias=False)
    init_as_temporal_shift(conv)
    x = torch.randn(2, 16, 5, 3, 3)
    shifted = temporal_shift(x.transpose(1, 2).flatten(0, 1), 5, 8).unflatten(0, (2, 5)).transpose(1, 2)
    torch.testing.assert_close(conv(x), shifted)


def test_p3d_has_the_temporal_convolutions_of_a3():
    with torch.device("meta"):
        deep, basic = P3DResNet(50), P3DResNet(18)
    names = [name for name, _ in deep.named_modules() if name.endswith("conv2_t")]
    expected = {1: (1,), 2: (1, 3), 3: (1, 3, 5), 4: (1,)}  # blocks 2, 4, 6 of each stage, counted from 0
    assert names == [f"layer{stage}.{block}.conv2_t" for stage, blocks in expected.items() for block in blocks]
    assert sum(name.endswith("conv2_t") for name, _ in basic.named_modules()) == 8
    assert deep.conv1_t.conv.kernel_size == (5, 1, 1)
    assert deep.conv1_t.conv.stride == (2, 1, 1)
    assert (deep.maxpool.kernel_size, deep.maxpool.stride) == (3, 2)
    for name, module in deep.named_modules():
        if isinstance(module, nn.Conv3d) and name != "conv1_t.conv":
            assert module.stride[0] == 1


def test_gated_stages_choose_where():
    with torch.device("meta"):
        model = TSMResNet(50, conv_cfg=dict(type="CGC2d"), gated_stages=(0, 4))
        p3d = P3DResNet(50, temporal_conv_cfg=dict(type="CGC1d"), gated_stages=(3,))
    gated = [name for name, module in model.named_modules() if isinstance(module, CGC2d) and module.gate is not None]
    assert gated == ["conv1.conv", "layer4.0.conv2.conv", "layer4.1.conv2.conv", "layer4.2.conv2.conv"]
    assert [n for n, m in p3d.named_modules() if isinstance(m, CGC1d)] == [
        f"layer3.{i}.conv2_t.conv" for i in (1, 3, 5)
    ]


@pytest.mark.parametrize("name", ["tsm-cgc", "p3d-cgc"])
def test_frozen_stages_do_not_train_and_norm_eval_keeps_statistics(name: str):
    model, x = build(name, frozen_stages=2)
    model.train()
    trained = {n.split(".")[0] for n, p in model.named_parameters() if p.requires_grad}
    assert trained == {"layer3", "layer4"}
    assert not model.layer2.training
    assert model.layer3.training
    model, x = build(name, norm_eval=True)
    model.train()
    before = {n: b.clone() for n, b in model.named_buffers()}
    model(x)
    for key, value in model.named_buffers():
        torch.testing.assert_close(value, before[key], rtol=0, atol=0)


@pytest.mark.parametrize("name", ["tsm-cgc", "p3d-cgc"])
@pytest.mark.parametrize("depth", [18, 50])
def test_activation_checkpointing_changes_nothing_but_memory(name: str, depth: int):
    plain, x = build(name, depth)
    saving, _ = build(name, depth, with_cp=True)
    saving.load_state_dict(plain.state_dict())
    for model in (plain.train(), saving.train()):
        model(x).square().mean().backward()
    theirs = dict(saving.named_parameters())
    for key, value in plain.named_parameters():
        torch.testing.assert_close(theirs[key].grad, value.grad, msg=key)
    theirs = dict(saving.named_buffers())
    for key, value in plain.named_buffers():
        if not key.endswith("num_batches_tracked"):
            torch.testing.assert_close(theirs[key], value, msg=key)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TSNResNet(20), r"depth \(20\) must be one of \(18, 34, 50, 101\)"),
        (lambda: TSNResNet(18, num_segments=0), r"num_segments \(0\) must be at least 1"),
        (lambda: TSNResNet(18, gated_stages=(5,)), r"gated_stages \(\(5,\)\) must be among 0"),
        (lambda: TSNResNet(18, frozen_stages=5), r"frozen_stages \(5\) must be from -1"),
        (lambda: TSNResNet(18, non_local=((1,), (), (), ())), "non_local .* must hold four sequences"),
        (lambda: TSMResNet(18, shift_div=1), r"shift_div \(1\) must be at least 2"),
        (
            lambda: TSMResNet(18, num_segments=8)(torch.zeros(12, 3, 32, 32)),
            r"num_segments \(8\) must divide the frame count \(12\)",
        ),
    ],
)
def test_wrong_arguments_are_named(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()
