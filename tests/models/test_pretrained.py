"""Loading ResNet checkpoints of any origin, and the report."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from torch import nn

from cgc_video.errors import UserError
from cgc_video.models import P3DResNet, TSMResNet, TSNResNet
from cgc_video.models.pretrained import canonical_key, load_pretrained


def torchvision_names(backbone: nn.Module) -> dict[str, torch.Tensor]:
    """A state dict as torchvision names it, classifier included."""
    state = {}
    for key, value in backbone.state_dict().items():
        key = key.replace(".downsample.conv.", ".downsample.0.").replace(".downsample.bn.", ".downsample.1.")
        parts = key.split(".")
        if parts[-2] in ("conv", "bn"):
            kind = parts.pop(-2)
            parts[-2] = parts[-2].replace("conv", kind)
        state[".".join(parts)] = value
    return {**state, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}


def plain_source() -> TSNResNet:
    source = TSNResNet(18, num_segments=4)
    for value in source.state_dict().values():
        if value.is_floating_point():
            value.copy_(
                torch.rand_like(value) + 0.5 if value.dim() == 1 else torch.randn_like(value) / value[0].numel() ** 0.5
            )
    return source.eval()


def test_torchvision_names_are_those_of_the_published_resnet():
    keys = set(torchvision_names(TSNResNet(18)))
    assert {"conv1.weight", "bn1.running_var", "layer1.0.conv2.weight", "layer1.0.bn2.bias"} <= keys
    assert {"layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_mean"} <= keys


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"state_dict": s}, lambda s: {"model": s}], ids=["bare", "mm", "model"]
)
def test_a_torchvision_checkpoint_loads_into_tsn(tmp_path, wrap):
    source = plain_source()
    torch.save(wrap(torchvision_names(source)), tmp_path / "resnet.pth")
    target = TSNResNet(18, num_segments=4, pretrained=str(tmp_path / "resnet.pth"))
    target.init_weights()
    x = torch.randn(4, 3, 32, 32)
    torch.testing.assert_close(target.eval()(x), source(x))


@pytest.mark.parametrize("conv_cfg", [dict(type="CGC2d"), dict(type="CGC3d")], ids=str)
def test_a_plain_checkpoint_in_the_gated_network_is_the_plain_network(tmp_path, conv_cfg: dict):
    source = plain_source()
    torch.save(torchvision_names(source), tmp_path / "resnet.pth")
    gated = TSNResNet(18, num_segments=4, conv_cfg=conv_cfg)
    report = load_pretrained(gated, str(tmp_path / "resnet.pth"))
    assert report.match == 1.0
    assert report.missing == report.unexpected == report.mismatched == []
    assert all(".gate." in key for key in report.new_parts)
    x = torch.randn(8, 3, 48, 32)
    expected = source(x)
    scale = expected.abs().max()
    torch.testing.assert_close(gated.eval()(x) / scale, expected / scale, atol=1e-5, rtol=0)


def test_a_gated_checkpoint_loads_as_it_is(tmp_path):
    source = TSMResNet(18, num_segments=4, conv_cfg=dict(type="CGC3d"))
    nn.init.normal_(source.layer3[0].conv1.conv.gate.decode_in.weight)
    torch.save({"state_dict": {f"backbone.{k}": v for k, v in source.state_dict().items()}}, tmp_path / "ours.pth")
    target = TSMResNet(18, num_segments=4, conv_cfg=dict(type="CGC3d"))
    assert load_pretrained(target, str(tmp_path / "ours.pth")).new_parts == []
    x = torch.randn(4, 3, 32, 32)
    torch.testing.assert_close(target.eval()(x), source.eval()(x), rtol=0, atol=0)


@pytest.mark.parametrize("conv_cfg", [None, dict(type="CGC3d")], ids=str)
def test_2d_kernels_are_inflated_for_p3d(tmp_path, conv_cfg: dict | None):
    source = plain_source()
    torch.save(torchvision_names(source), tmp_path / "resnet.pth")
    target = P3DResNet(18, conv_cfg=conv_cfg)
    report = load_pretrained(target, str(tmp_path / "resnet.pth"))
    assert report.match == 1.0
    assert report.missing == []
    kernel = target.layer1[0].conv1.conv.weight.squeeze(2)
    torch.testing.assert_close(kernel, source.layer1[0].conv1.conv.weight * (1 if conv_cfg is None else 2))


def test_a_tsm_checkpoint_of_mmaction2_loads(tmp_path):
    cfg = dict(sub_sample=True, use_scale=False, norm_cfg=dict(type="BN3d"), mode="embedded_gaussian")
    flags = ((), (1, 0, 1, 0), (), ())
    non_local = dict(non_local=((0, 0, 0), (1, 0, 1, 0), (0,) * 6, (0, 0, 0)), non_local_cfg=cfg)
    with DefaultScope.overwrite_default_scope("mmaction"):
        theirs = MODELS.build(dict(type="ResNetTSM", depth=50, num_segments=4, pretrained2d=False, **non_local))
    state = {f"backbone.{key}": value for key, value in theirs.state_dict().items()}
    torch.save(
        {"meta": {}, "state_dict": {**state, "cls_head.fc_cls.weight": torch.zeros(8, 2048)}}, tmp_path / "tsm.pth"
    )
    ours = TSMResNet(50, num_segments=4, non_local=flags, non_local_cfg=cfg)
    report = load_pretrained(ours, str(tmp_path / "tsm.pth"))
    assert report.match == 1.0
    assert report.missing == report.unexpected == report.new_parts == []


def test_keys_of_the_tsm_authors_code():
    assert canonical_key("module.base_model.conv1.weight") == "conv1.conv.weight"
    assert canonical_key("module.base_model.layer1.0.conv1.net.weight") == "layer1.0.conv1.conv.weight"
    assert canonical_key("module.base_model.layer2.0.downsample.1.bias") == "layer2.0.downsample.bn.bias"
    ours = TSNResNet(18).state_dict()
    assert [canonical_key(key) for key in ours] == list(ours)


def test_a_poor_match_is_an_error_that_reports(tmp_path):
    state = torchvision_names(TSNResNet(34))
    torch.save({key: value for key, value in state.items() if "layer4" not in key}, tmp_path / "part.pth")
    with pytest.raises(UserError, match=r"holds \d+\.\d% of the backbone's weights, and at least 90%") as raised:
        load_pretrained(TSNResNet(34), str(tmp_path / "part.pth"))
    assert "missing: " in str(raised.value)
    torch.save(torchvision_names(TSNResNet(50)), tmp_path / "r50.pth")
    with pytest.raises(UserError, match=r"of another shape: \d+"):
        load_pretrained(TSNResNet(18), str(tmp_path / "r50.pth"))


def test_files_that_are_no_checkpoints_are_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.pth does not exist; set model\.backbone\.pretrained"):
        load_pretrained(TSNResNet(18), "nowhere.pth")
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(UserError, match=r"text\.pth\) is no checkpoint, or cut off"):
        load_pretrained(TSNResNet(18), str(tmp_path / "text.pth"))
    torch.save({"epoch": 1}, tmp_path / "empty.pth")
    with pytest.raises(UserError, match="holds no weights"):
        load_pretrained(TSNResNet(18), str(tmp_path / "empty.pth"))


def test_an_unreachable_url_is_an_error_or_a_warning_as_the_config_says(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = "http://127.0.0.1:9/resnet.pth"  # a port where nothing listens
    with pytest.raises(
        UserError, match=r"cannot be fetched \(.*\); fetch it elsewhere and set model\.backbone\.pretrained"
    ):
        load_pretrained(TSNResNet(18), url)
    assert load_pretrained(TSNResNet(18), url, if_unreachable="random") is None
    with pytest.raises(UserError, match=r"if_unreachable \('maybe'\)"):
        load_pretrained(TSNResNet(18), url, if_unreachable="maybe")


def test_a_fetched_url_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(torchvision_names(plain_source()), tmp_path / "hub" / "checkpoints" / "resnet18.pth")
    assert load_pretrained(TSNResNet(18), "https://example.invalid/resnet18.pth").match == 1.0
