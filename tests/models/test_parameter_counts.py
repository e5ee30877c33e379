"""The counts of the contract, in a table beside the paper's."""

import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn

from cgc_video.evaluation.complexity import count_parameters
from cgc_video.models import P3DResNet, TSMResNet, TSNResNet

NON_LOCAL = dict(
    non_local=((), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), ()),
    non_local_cfg=dict(mode="embedded_gaussian", sub_sample=True, norm_cfg=dict(type="BN3d")),
)
CGC_2D, CGC_3D = dict(conv_cfg=dict(type="CGC2d")), dict(conv_cfg=dict(type="CGC3d"))
CGC_1D = dict(temporal_conv_cfg=dict(type="CGC1d"))

# Row: backbone, its options, classes, what ours must be (a number, or None: within 0.1 % of the paper's), the paper's
VIDEO_AND_IMAGENET = {
    "R50, ImageNet": (TSNResNet, {}, 1000, 25_557_032, 25.56),
    "R50 + CGC2d, ImageNet": (TSNResNet, CGC_2D, 1000, 25_589_951, 25.59),
    "TSN": (TSNResNet, {}, 174, 23_864_558, 23.86),
    "TSM": (TSMResNet, {}, 174, 23_864_558, 23.86),
    "TSN + Non-local": (TSNResNet, NON_LOCAL, 174, 31_218_926, 31.22),
    "TSM + Non-local": (TSMResNet, NON_LOCAL, 174, 31_218_926, 31.22),
    "TSN + CGC, 8 frames": (TSNResNet, CGC_3D, 174, None, 24.07),
    "TSM + CGC, 8 frames": (TSMResNet, CGC_3D, 174, None, 24.07),
    "TSM + CGC, 16 frames": (TSMResNet, {**CGC_3D, "num_segments": 16}, 174, None, 24.09),
    "TSM + Non-local + CGC": (TSMResNet, {**NON_LOCAL, **CGC_3D}, 174, None, 31.43),
    "P3D-A": (P3DResNet, {}, 174, 25_375_214, 25.38),
    "P3D-A + Non-local": (P3DResNet, NON_LOCAL, 174, None, 32.73),
    "P3D-A + CGC 1D": (P3DResNet, CGC_1D, 174, None, 25.39),
    "P3D-A + CGC 3D": (P3DResNet, CGC_3D, 174, None, 25.61),
    "P3D-A + CGC 1D & 3D": (P3DResNet, {**CGC_1D, **CGC_3D}, 174, None, 25.62),
}
# Table 3(a): gate options, the stages gated, ours where the contract states it, the paper's
CIFAR = {
    "R110": (None, (), 1_730_714, 1.73),
    "R110 + CGC": ({}, (0, 1, 2, 3), 1_797_681, 1.80),
    "only G(1)": ({"gate": "in"}, (0, 1, 2, 3), None, 1.75),
    "only G(2)": ({"gate": "out"}, (0, 1, 2, 3), None, 1.78),
    "G(1) * G(2)": ({"gate": "product"}, (0, 1, 2, 3), None, 1.80),
    "g = 1": ({"channel_groups": 1}, (0, 1, 2, 3), 1_960_497, 1.96),
    "d = k1 x k2": ({"latent_dim": 9}, (0, 1, 2, 3), None, 1.81),
    "Shared Norm": ({"shared_norm": True}, (0, 1, 2, 3), None, 1.79),
    "Two Es": ({"two_encoders": True}, (0, 1, 2, 3), None, 1.80),
    "Shared D": ({"shared_decoder": True}, (0, 1, 2, 3), None, 1.79),
    "h' = 2 k1": ({"context_scale": 2}, (0, 1, 2, 3), 1_812_396, 1.81),
    "MaxPool": ({"pool": "max"}, (0, 1, 2, 3), None, 1.80),
    "(res1,2,3)": ({}, (1, 2, 3), None, 1.80),
    "(res2,3)": ({}, (2, 3), None, 1.78),
    "(res3)": ({}, (3,), None, 1.76),
}


def show(name: str, ours: int, paper: float) -> None:
    print(f"\n{name:<24} {ours:>12,}   paper {paper:.2f} M   {ours / 1e6 / paper - 1:+.3%}", end="")


@pytest.mark.parametrize("row", VIDEO_AND_IMAGENET)
def test_video_and_imagenet_models(row: str):
    backbone, options, classes, exact, paper = VIDEO_AND_IMAGENET[row]
    with torch.device("meta"):
        model = nn.ModuleList([backbone(50, **options), nn.Linear(2048, classes)])
    ours = count_parameters(model)
    show(row, ours, paper)
    if exact is None:
        assert abs(ours / 1e6 / paper - 1) < 1e-3
    else:
        assert ours == exact


def cifar_resnet110(gate: dict | None, gated_stages: tuple[int, ...]) -> nn.Module:
    """The convolutions, norms and classifier of ResNet-110 with projection shortcuts (He et al., Sec. 4.2); no forward pass."""

    def conv(stage: int, in_channels: int, out_channels: int, kernel: int) -> ConvModule:
        cfg = dict(type="CGC2d", **gate) if gate is not None and stage in gated_stages else None
        return ConvModule(in_channels, out_channels, kernel, bias=False, conv_cfg=cfg, norm_cfg=dict(type="BN"))

    layers, channels = [conv(0, 3, 16, 3)], 16
    for stage in (1, 2, 3):
        width = 16 * 2 ** (stage - 1)
        for _ in range(18):
            layers += [conv(stage, channels, width, 3), conv(stage, width, width, 3)]
            if channels != width:
                layers.append(conv(stage, channels, width, 1))
            channels = width
    return nn.ModuleList([*layers, nn.Linear(64, 10)])


@pytest.mark.parametrize("row", CIFAR)
def test_ablations_of_table_3a(row: str):
    gate, stages, exact, paper = CIFAR[row]
    with torch.device("meta"):
        ours = count_parameters(cifar_resnet110(gate, stages))
    show(row, ours, paper)
    assert exact is None or ours == exact
    assert f"{ours / 1e6:.2f}" == f"{paper:.2f}"


def test_kinetics_has_400_classes_where_the_paper_counts_174():
    """Table 5 repeats the counts of Table 4; with 400 classes the classifier has 463,074 parameters more."""
    with torch.device("meta"):
        model = nn.ModuleList([TSMResNet(50), nn.Linear(2048, 400)])
    assert count_parameters(model) == 23_864_558 + (400 - 174) * 2049
