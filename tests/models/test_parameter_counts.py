"""The counts of the contract, in a table beside the paper's."""

import pytest
import torch
from torch import nn

from cgc_video.evaluation.complexity import count_parameters
from cgc_video.models import CIFARResNet, ImageResNet, P3DResNet, TSMResNet, TSNResNet

NON_LOCAL = dict(
    non_local=((), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), ()),
    non_local_cfg=dict(mode="embedded_gaussian", sub_sample=True, norm_cfg=dict(type="BN3d")),
)
CGC_2D, CGC_3D = dict(conv_cfg=dict(type="CGC2d")), dict(conv_cfg=dict(type="CGC3d"))
CGC_1D = dict(temporal_conv_cfg=dict(type="CGC1d"))

# Row: backbone, its options, classes, what ours must be (a number, or None: within 0.1 % of the paper's), the paper's
VIDEO = {
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
# Table 1, ImageNet: options of ImageResNet, ours where the contract states it, the paper's
IMAGENET = {
    "R50": ({}, 25_557_032, 25.56),
    "R50 + CGC": (CGC_2D, 25_589_951, 25.59),
    "SE-R50": (dict(block_plugin=dict(type="SE")), None, 28.09),
    "BAM-R50": (dict(stage_plugin=dict(type="BAM")), None, 25.92),
    "GC-R50": (dict(block_plugin=dict(type="ContextBlock", ratio=1 / 16)), None, 28.11),
    "CBAM-R50": (dict(block_plugin=dict(type="CBAM")), None, 28.09),
    "CBAM-R50 + CGC": (dict(block_plugin=dict(type="CBAM"), **CGC_2D), None, 28.12),
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


@pytest.mark.parametrize("row", VIDEO)
def test_video_models(row: str):
    backbone, options, classes, exact, paper = VIDEO[row]
    with torch.device("meta"):
        model = nn.ModuleList([backbone(50, **options), nn.Linear(2048, classes)])
    ours = count_parameters(model)
    show(row, ours, paper)
    if exact is None:
        assert abs(ours / 1e6 / paper - 1) < 1e-3
    else:
        assert ours == exact


@pytest.mark.parametrize("row", IMAGENET)
def test_imagenet_models_of_table_1(row: str):
    options, exact, paper = IMAGENET[row]
    with torch.device("meta"):
        ours = count_parameters(nn.ModuleList([ImageResNet(50, **options), nn.Linear(2048, 1000)]))
    show(row, ours, paper)
    assert exact is None or ours == exact
    assert f"{ours / 1e6:.2f}" == f"{paper:.2f}"


@pytest.mark.parametrize("row", CIFAR)
def test_table_3a(row: str):
    gate, stages, exact, paper = CIFAR[row]
    options = {} if gate is None else dict(conv_cfg=dict(type="CGC2d", **gate), gated_stages=stages)
    with torch.device("meta"):
        ours = count_parameters(nn.ModuleList([CIFARResNet(110, **options), nn.Linear(64, 10)]))
    show(row, ours, paper)
    assert exact is None or ours == exact
    assert f"{ours / 1e6:.2f}" == f"{paper:.2f}"


@pytest.mark.parametrize(("depth", "count"), [(18, 11_689_512), (34, 21_797_672), (101, 44_549_160), (152, 60_192_808)])
def test_other_depths_count_what_torchvision_publishes(depth: int, count: int):
    with torch.device("meta"):
        backbone = ImageResNet(depth)
        assert count_parameters(nn.ModuleList([backbone, nn.Linear(backbone.out_channels, 1000)])) == count


def test_kinetics_has_400_classes_where_the_paper_counts_174():
    """Table 5 repeats the counts of Table 4; with 400 classes the classifier has 463,074 parameters more."""
    with torch.device("meta"):
        model = nn.ModuleList([TSMResNet(50), nn.Linear(2048, 400)])
    assert count_parameters(model) == 23_864_558 + (400 - 174) * 2049
