"""Each step in standard operators, against PyTorch's own and against the layers as they run."""

import pytest
import torch
import torch.nn.functional as F

from cgc_video.apis.export.operators import StandardOperators, interpolation_matrix, pooling_matrix
from cgc_video.layers import CGC1d, CGC2d, CGC3d

LENGTHS = [(7, 3), (112, 7), (3, 3), (2, 5), (1, 4), (16, 3), (5, 16)]


@pytest.mark.parametrize(("length", "size"), LENGTHS)
def test_matrices_are_pooling_and_interpolation(length: int, size: int):
    x = torch.randn(2, 3, length, dtype=torch.float64)
    pooled = x @ torch.tensor(pooling_matrix(length, size), dtype=torch.float64)
    torch.testing.assert_close(pooled, F.adaptive_avg_pool1d(x, size))
    interpolated = x @ torch.tensor(interpolation_matrix(length, size), dtype=torch.float64)
    torch.testing.assert_close(interpolated, F.interpolate(x, size, mode="linear", align_corners=False))


@pytest.mark.parametrize(("length", "size"), LENGTHS)
def test_pooling(length: int, size: int):
    x = torch.randn(2, 3, length, 6)
    calls = [
        lambda: F.adaptive_avg_pool1d(x[..., 0], size),
        lambda: F.adaptive_max_pool1d(x[..., 0], size),
        lambda: F.adaptive_avg_pool2d(x, (size, 4)),
        lambda: F.adaptive_max_pool2d(x, (size, 4)),
        lambda: F.adaptive_avg_pool2d(x, 1),
        lambda: F.adaptive_avg_pool3d(x[None], (1, 1, 1)),
    ]
    for call in calls:
        expected = call()
        with StandardOperators():
            torch.testing.assert_close(call(), expected)


def test_what_has_no_form_is_left_as_it_is():
    x = torch.randn(1, 2, 4, 4)
    with StandardOperators():
        assert F.interpolate(x, size=8, mode="bilinear").shape == (1, 2, 8, 8)
        assert F.adaptive_avg_pool3d(x[None], 2).shape == (1, 1, 2, 2, 2)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (CGC2d(16, 8, 3, padding=1), (3, 16, 7, 5)),
        (CGC2d(3, 8, 7, 2, 3, bias=False), (2, 3, 17, 13)),
        (CGC2d(32, 64, 3, groups=4), (2, 32, 6, 6)),
        (CGC2d(8, 4, 3, padding=1, padding_mode="circular"), (2, 8, 6, 5)),
        (CGC2d(16, 8, 3, gate="product"), (2, 16, 7, 5)),
        (CGC2d(16, 8, 3, gate="out", pool="max", context_scale=2), (2, 16, 7, 5)),
        (CGC2d(16, 8, 3, gate="in", stride=2), (2, 16, 7, 5)),
        (CGC2d(8, 4, 1), (2, 8, 6, 5)),
        (CGC1d(16, 8, (3, 1, 1), (2, 1, 1), (1, 0, 0)), (2, 16, 7, 4, 3)),
        (CGC1d(16, 8, 5, padding=4, dilation=2), (3, 16, 11)),
        (CGC3d(16, 8, 3, padding=1, num_segments=4), (8, 16, 6, 6)),
        (CGC3d(16, 8, 3, padding=1, num_segments=4, gate_frames=4), (8, 16, 6, 6)),
        (CGC3d(16, 8, (1, 3, 3), padding=(0, 1, 1)), (2, 16, 5, 6, 6)),
    ],
    ids=lambda value: f"{type(value).__name__}-{value.kernel_size}" if isinstance(value, torch.nn.Module) else None,
)
def test_layers(layer: torch.nn.Module, shape: tuple[int, ...]):
    for name, parameter in layer.named_parameters():
        if ".decode" in name:
            torch.nn.init.normal_(parameter)
    x = torch.randn(shape)
    with torch.no_grad():
        expected = layer.eval()(x)
        with StandardOperators():
            actual = layer(x)
    torch.testing.assert_close(actual, expected)
