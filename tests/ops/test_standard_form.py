"""The gated convolution in standard operators, against the reference."""

import pytest
import torch

from cgc_video.ops import gated_conv2d_reference, modulated_conv2d
from cgc_video.ops.gated_conv.standard import convolve_patches, gated_conv2d_standard
from cgc_video.testing import CASES, GatedConvCase

by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@by_name
def test_matches_reference(case: GatedConvCase):
    tensors = {name: tensor.detach() for name, tensor in case.tensors(torch.float64).items()}
    bias = tensors.pop("bias", None)
    y = gated_conv2d_standard(*tensors.values(), *case.conv_args.values())
    torch.testing.assert_close(y, gated_conv2d_reference(**tensors, **case.conv_args))
    assert bias is None or len(bias) == y.shape[1]


@by_name
def test_kernels_given_in_full(case: GatedConvCase):
    tensors = case.tensors(torch.float64)
    x, weight = tensors["x"].detach(), tensors["weight"].detach()
    kernels = weight * torch.rand(len(x), *weight.shape, dtype=torch.float64)
    y = convolve_patches(x, kernels, *case.conv_args.values())
    torch.testing.assert_close(y, modulated_conv2d(x, kernels, **case.conv_args))
