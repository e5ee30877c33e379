"""SE, CBAM and BAM against their equations."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from cgc_video.models import BAM, CBAM, SE

BLOCKS = [SE, CBAM, BAM]


def mlp(x: Tensor, layers: nn.Sequential) -> Tensor:
    """``W1 relu(W0 x + b0) + b1``."""
    return F.linear(F.relu(F.linear(x, layers[0].weight, layers[0].bias)), layers[2].weight, layers[2].bias)


def test_se_scales_each_channel_by_what_the_channel_means_give():
    block, x = SE(32), torch.randn(2, 32, 5, 7)
    expected = x * torch.sigmoid(mlp(x.mean(3).mean(2), block.mlp)).view(2, 32, 1, 1)
    torch.testing.assert_close(block(x), expected)


def test_cbam_attends_to_channels_and_then_to_places():
    block, x = CBAM(32), torch.randn(2, 32, 9, 8)
    average, maximum = F.adaptive_avg_pool2d(x, 1).flatten(1), F.adaptive_max_pool2d(x, 1).flatten(1)
    refined = x * torch.sigmoid(mlp(average, block.mlp) + mlp(maximum, block.mlp)).view(2, 32, 1, 1)
    maps = torch.cat([refined.mean(1, keepdim=True), refined.max(1, keepdim=True).values], dim=1)
    expected = refined * torch.sigmoid(F.conv2d(maps, block.conv.weight, padding=3))
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("training", [True, False])
def test_bam_adds_what_both_branches_attend_to(training: bool):
    block, x = BAM(32), torch.randn(3, 32, 12, 10)
    for norm in (block.channel[1], block.spatial[7]):
        nn.init.uniform_(norm.weight)
        nn.init.normal_(norm.bias)
        nn.init.normal_(norm.running_mean)
    block.train(training)

    def normed(value: Tensor, norm: nn.Module) -> Tensor:
        statistics = (norm.running_mean.clone(), norm.running_var.clone())
        return F.batch_norm(value, *statistics, norm.weight, norm.bias, training)

    channels = normed(mlp(x.mean((2, 3)), block.channel[0]), block.channel[1])
    first, second, third, last = (block.spatial[index] for index in (0, 2, 4, 6))
    places = F.relu(F.conv2d(x, first.weight, first.bias))
    for conv in (second, third):
        places = F.relu(F.conv2d(places, conv.weight, conv.bias, padding=4, dilation=4))
    places = normed(F.conv2d(places, last.weight, last.bias), block.spatial[7])
    expected = x + x * torch.sigmoid(channels.view(3, 32, 1, 1) + places.view(3, 1, 12, 10))
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("block", BLOCKS)
def test_hidden_units_are_a_sixteenth_of_the_channels(block: type):
    module = MODELS.build(dict(type=block.__name__, in_channels=256))
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(256, 16), (16, 256)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SE(8), r"ratio \(16\) must be from 1 to the number of channels \(8\)"),
        (lambda: CBAM(8, ratio=0), r"ratio \(0\) must be from 1"),
        (lambda: BAM(8), r"ratio \(16\) must be from 1 to the number of channels \(8\)"),
        (lambda: CBAM(32, kernel_size=4), r"kernel_size \(4\) of CBAM must be odd"),
    ],
)
def test_wrong_arguments_are_named(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()
