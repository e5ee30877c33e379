"""The backbones for images: where gates and plug-ins sit, and that all of it trains."""

import pytest
import torch
from mmaction.registry import MODELS
from mmcv.cnn import ContextBlock
from torch import nn

from cgc_video.layers import CGC2d
from cgc_video.models import BAM, CBAM, SE, CIFARResNet, ImageResNet

GATED = dict(conv_cfg=dict(type="CGC2d"))
PLUGINS = {
    "plain": {},
    "cgc": GATED,
    "se": dict(block_plugin=dict(type="SE")),
    "cbam": dict(block_plugin=dict(type="CBAM")),
    "cbam-cgc": dict(block_plugin=dict(type="CBAM"), **GATED),
    "bam": dict(stage_plugin=dict(type="BAM")),
    "gc": dict(block_plugin=dict(type="ContextBlock", ratio=1 / 16)),
}
BACKBONES = {"image": ("ImageResNet", 18), "cifar": ("CIFARResNet", 20)}


def build(backbone: str, name: str, **more) -> nn.Module:
    kind, depth = BACKBONES[backbone]
    return MODELS.build(dict(type=kind, depth=depth, **PLUGINS[name], **more))


def gated_names(model: nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if isinstance(module, CGC2d) and module.gate is not None]


@pytest.mark.parametrize("name", PLUGINS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_forward_and_a_gradient_on_every_parameter(backbone: str, name: str):
    model, x = build(backbone, name), torch.randn(4, 3, 64, 48)
    model.init_weights()
    for (
        module
    ) in model.modules():  # away from the start, where decoders and the last layer of a GC block are zero by design
        if isinstance(module, CGC2d) and module.gate is not None:
            nn.init.normal_(module.gate.decode_in.weight, std=0.1)
            nn.init.normal_(module.gate.decode_out.weight, std=0.1)
        if isinstance(module, ContextBlock):
            nn.init.normal_(module.channel_add_conv[-1].weight, std=0.1)
    y = model(x)
    assert y.shape == ((4, 512, 2, 2) if backbone == "image" else (4, 64, 16, 12))
    y.square().sum().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # with 16 channels a GC block has one hidden unit, whose layer norm gives zero whatever comes in
    if (backbone, name) == ("cifar", "gc"):
        without = [n for n in without if not n.startswith("layer1") or ".plugin." not in n]
    # a softmax takes away what a bias of the mask adds, and a norm behind each branch of BAM the branch's last bias
    needless = ("conv_mask.bias", "plugin.channel.0.2.bias", "plugin.spatial.6.bias")
    assert [n for n in without if not n.endswith(needless)] == []


@pytest.mark.parametrize("name", PLUGINS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_state_dict_round_trip(backbone: str, name: str):
    model, other, x = build(backbone, name), build(backbone, name), torch.randn(2, 3, 32, 32)
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other.eval()(x), model.eval()(x), rtol=0, atol=0)


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_every_depth_for_imagenet_gates_all_but_pointwise_convolutions(depth: int):
    with torch.device("meta"):
        model = ImageResNet(depth, **GATED)
    spatial = [name for name, m in model.named_modules() if isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1)]
    assert gated_names(model) == spatial
    assert len(spatial) == 1 + sum(model.stage_blocks) * (2 if depth < 50 else 1)
    assert model.out_channels == (512 if depth < 50 else 2048)


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_every_depth_for_cifar_has_as_many_layers_as_its_name_says(depth: int):
    with torch.device("meta"):
        model = CIFARResNet(depth, **GATED)
    assert len(gated_names(model)) + 1 == depth  # all 3x3 convolutions, and the classifier
    shortcuts = [name for name, module in model.named_modules() if name.endswith("downsample.conv")]
    assert shortcuts == ["layer2.0.downsample.conv", "layer3.0.downsample.conv"]
    assert not any(isinstance(module, nn.MaxPool2d) for module in model.modules())
    assert [model.get_submodule(f"layer{stage}.0.conv1.conv").stride for stage in (1, 2, 3)] == [(1, 1), (2, 2), (2, 2)]


def test_gated_stages_choose_the_rows_of_table_3a():
    with torch.device("meta"):
        models = {stages: CIFARResNet(20, **GATED, gated_stages=stages) for stages in ((1, 2, 3), (2, 3), (3,), (0,))}
    for stages, model in models.items():
        expected = ["conv1.conv"] if 0 in stages else []
        blocks = [f"layer{stage}.{block}" for stage in stages if stage > 0 for block in range(3)]
        assert gated_names(model) == expected + [f"{block}.conv{i}.conv" for block in blocks for i in (1, 2)]


@pytest.mark.parametrize("options", [dict(gate="in"), dict(shared_norm=True), dict(context_scale=2)], ids=str)
def test_gate_options_reach_every_layer(options: dict):
    model = CIFARResNet(20, conv_cfg=dict(type="CGC2d", **options))
    layers = [model.get_submodule(name) for name in gated_names(model)]
    assert len(layers) == 19
    for layer in layers:
        assert layer.gate.gate == options.get("gate", "both")
        assert (layer.gate.norm_mid is None) == ("shared_norm" in options or "gate" in options)
        assert layer.grid == ((6, 6) if "context_scale" in options else (3, 3))


@pytest.mark.parametrize("block", [SE, CBAM])
def test_block_plugins_act_on_the_residual_path_of_each_block(block: type):
    model = ImageResNet(18, block_plugin=dict(type=block.__name__)).eval()
    places = [name for name, module in model.named_modules() if isinstance(module, block)]
    assert places == [f"layer{stage}.{index}.plugin" for stage in (1, 2, 3, 4) for index in (0, 1)]
    residual, x = model.layer2[0], torch.randn(2, 64, 8, 8).relu()
    path = residual.conv2(residual.conv1(x))
    torch.testing.assert_close(residual(x), (residual.plugin(path) + residual.downsample(x)).relu())


def test_bam_follows_each_stage_but_the_last():
    for model in (ImageResNet(18, stage_plugin=dict(type="BAM")), CIFARResNet(20, stage_plugin=dict(type="BAM"))):
        last = len(model.stage_channels)
        places = [name for name, module in model.named_modules() if isinstance(module, BAM)]
        assert places == [f"layer{stage}.plugin" for stage in range(1, last)]
        features = torch.randn(2, model.stem_channels, 8, 8)
        blocks = nn.Sequential(*list(model.layer1)[:-1])
        torch.testing.assert_close(model.eval().layer1(features), model.layer1.plugin(blocks(features)))


def test_the_convolution_of_cbam_is_not_gated():
    model = ImageResNet(18, block_plugin=dict(type="CBAM"), **GATED)
    assert not any(".plugin" in name for name in gated_names(model))
    assert len(gated_names(model)) == 17


def test_a_gc_block_starts_as_an_identity():
    plain, gc = ImageResNet(18), ImageResNet(18, **PLUGINS["gc"])
    gc.init_weights()
    plain.load_state_dict({key: value for key, value in gc.state_dict().items() if ".plugin." not in key})
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(gc.eval()(x), plain.eval()(x))


@pytest.mark.parametrize("name", ["cgc", "bam"])
def test_frozen_stages_hold_their_plugins_too(name: str):
    model = build("cifar", name, frozen_stages=2).train()
    assert {n.split(".")[0] for n, p in model.named_parameters() if p.requires_grad} == {"layer3"}
    assert not model.layer2.training


@pytest.mark.parametrize("name", ["cbam-cgc", "se"])
def test_activation_checkpointing_changes_nothing_but_memory(name: str):
    plain, saving, x = build("cifar", name), build("cifar", name, with_cp=True), torch.randn(4, 3, 32, 32)
    saving.load_state_dict(plain.state_dict())
    for model in (plain.train(), saving.train()):
        model(x).square().mean().backward()
    theirs = dict(saving.named_parameters())
    for key, value in plain.named_parameters():
        torch.testing.assert_close(theirs[key].grad, value.grad, msg=key)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ImageResNet(20), r"depth \(20\) must be one of \(18, 34, 50, 101, 152\)"),
        (lambda: CIFARResNet(50), r"depth \(50\) must be one of \(20, 32, 44, 56, 110\)"),
        (lambda: CIFARResNet(20, gated_stages=(4,)), r"gated_stages \(\(4,\)\) must be among 0 .* and 1 to 3"),
        (lambda: CIFARResNet(20, frozen_stages=4), r"frozen_stages \(4\) must be from -1 \(none\) to 3"),
        (
            lambda: ImageResNet(18, conv_cfg=dict(type="CGC3d"))(torch.zeros(2, 3, 32, 32)),
            r"has no time axis; set num_segments",
        ),
        (
            lambda: ImageResNet(18, block_plugin=dict(type="SE", ratio=128)),
            r"ratio \(128\) must be from 1 to .* \(64\)",
        ),
    ],
)
def test_wrong_arguments_are_named(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()
