"""The gated convolution in operators that every runtime has, for networks that leave PyTorch.

One kernel per sample is a convolution of as many groups as the batch has samples. A file for other runtimes cannot hold that number, and
its batch is free; so the patches of the input are laid out, and each sample's kernels multiply them as a matrix. Exact, and
``kh * kw`` times the input's memory: a formulation to hand over, not one to train with.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .layout import output_size

__all__ = ["convolve_patches", "gated_conv2d_standard"]


def gated_conv2d_standard(
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    stride,
    padding,
    dilation,
    groups: int,
    backend: str = "auto",
) -> Tensor:
    """See :func:`gated_conv2d`; arguments and their order are those of the operator, ``backend`` has no meaning."""
    gate_in = gate_in.unflatten(1, (groups, 1, -1))  # (N, g, 1, C/g, kh, kw)
    gate_out = gate_out.unflatten(1, (groups, -1, 1))  # (N, g, O/g, 1, kh, kw)
    gate = torch.sigmoid(gate_in + gate_out)  # Eq. (1)
    return _multiply(x, weight.unflatten(0, (groups, -1)) * gate, stride, padding, dilation)  # Eq. (2)


def convolve_patches(x: Tensor, kernels: Tensor, stride, padding, dilation, groups: int) -> Tensor:
    """See :func:`modulated_conv2d`: each sample with a kernel of its own, ``(N, O, C / groups, kh, kw)``."""
    return _multiply(x, kernels.unflatten(1, (groups, -1)), stride, padding, dilation)


def _multiply(x: Tensor, kernels: Tensor, stride, padding, dilation) -> Tensor:
    """Convolve ``x (N, C, H, W)`` with ``kernels (N, g, O/g, C/g, kh, kw)``: the rows of each patch are gathered first, then its columns."""
    groups, (kh, kw) = kernels.shape[1], kernels.shape[4:]
    height, width = output_size(*x.shape[2:], kh, kw, stride, padding, dilation)
    x = F.pad(x, (padding[1], padding[1], padding[0], padding[0])).unflatten(1, (groups, -1))  # (N, g, C/g, H, W)
    rows = torch.cat([_strided(x, 3, i * dilation[0], stride[0], height) for i in range(kh)], dim=2)
    patches = torch.cat([_strided(rows, 4, j * dilation[1], stride[1], width) for j in range(kw)], dim=2)
    matrices = kernels.permute(0, 1, 2, 5, 4, 3).flatten(3)  # (N, g, O/g, kw * kh * C/g)
    y = matrices @ patches.flatten(3)  # (N, g, O/g, H_out * W_out)
    return y.flatten(1, 2).unflatten(2, (height, width))


def _strided(x: Tensor, dim: int, start: int, stride: int, length: int) -> Tensor:
    """``length`` positions along a dim, ``stride`` apart."""
    return torch.ops.aten.slice.Tensor(x, dim, start, start + (length - 1) * stride + 1, stride)
