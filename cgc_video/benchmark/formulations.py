"""The ways to run a gated convolution that are compared, each with the arguments of :func:`cgc_video.ops.gated_conv2d`.

``plain``    one convolution with the shared kernel, no gate: what the gated ones are measured against
``unfold``   the public formulation: the input's patches as columns, times a kernel per sample
``grouped``  a kernel per sample, all samples as the groups of one convolution
``ours``     ``gated_conv2d``, which chooses its backend; a backend's name stands for that backend

``unfold`` and ``grouped`` hold the kernels of the whole batch in memory and are differentiated by plain autograd.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from cgc_video.layers import context_gated_conv
from cgc_video.ops import gated_conv2d

__all__ = [
    "DEFAULT_FORMULATIONS",
    "get_formulation",
    "grouped_conv2d",
    "plain_conv2d",
    "unfold_conv2d",
    "use_op",
]

DEFAULT_FORMULATIONS = ("plain", "unfold", "grouped", "ours")


def plain_conv2d(x: Tensor, weight: Tensor, gate_in: Tensor, gate_out: Tensor, bias=None, **conv_args) -> Tensor:
    """Convolve all samples with the one kernel; the logits are ignored."""
    return F.conv2d(x, weight, bias, **conv_args)


def unfold_conv2d(
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    bias: Tensor | None = None,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> Tensor:
    """Multiply the columns of the input's patches by a kernel per sample."""
    n, out_channels = len(x), weight.shape[0]
    kernels = _modulated_kernels(weight, gate_in, gate_out, groups)
    columns = F.unfold(x, weight.shape[2:], dilation, padding, stride)  # (N, C*kh*kw, H_out*W_out)
    columns = columns.view(n, groups, -1, columns.shape[-1])
    y = torch.matmul(
        kernels.reshape(n, groups, out_channels // groups, -1), columns
    )  # (N, groups, O/groups, H_out*W_out)
    kernel_height, dilation_height = weight.shape[2], dilation[0]
    height = (x.shape[2] + 2 * padding[0] - dilation_height * (kernel_height - 1) - 1) // stride[0] + 1
    y = y.view(n, out_channels, height, -1)
    return y if bias is None else y + bias.view(-1, 1, 1)


def grouped_conv2d(
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    bias: Tensor | None = None,
    groups: int = 1,
    **conv_args,
) -> Tensor:
    """Convolve all samples at once, each as groups of its own."""
    n = len(x)
    kernels = _modulated_kernels(weight, gate_in, gate_out, groups).flatten(0, 1)
    y = F.conv2d(x.reshape(1, -1, *x.shape[2:]), kernels, None, groups=n * groups, **conv_args)
    y = y.view(n, -1, *y.shape[2:])
    return y if bias is None else y + bias.view(-1, 1, 1)


def get_formulation(name: str) -> Callable[..., Tensor]:
    """The function of a formulation, or ``gated_conv2d`` with the backend of that name."""
    own = {"plain": plain_conv2d, "unfold": unfold_conv2d, "grouped": grouped_conv2d, "ours": gated_conv2d}
    return own[name] if name in own else partial(gated_conv2d, backend=name)


@contextmanager
def use_op(function: Callable[..., Tensor]) -> Iterator[None]:
    """Let the gated layers call ``function`` in place of :func:`cgc_video.ops.gated_conv2d`."""
    before = context_gated_conv.gated_conv2d
    context_gated_conv.gated_conv2d = function
    try:
        yield
    finally:
        context_gated_conv.gated_conv2d = before


def _modulated_kernels(weight: Tensor, gate_in: Tensor, gate_out: Tensor, groups: int) -> Tensor:
    """``(N, O, C/groups, kh, kw)``: the kernel of every sample."""
    per_group = gate_in.unflatten(1, (groups, 1, -1))  # (N, groups, 1, C/groups, kh, kw)
    logits = per_group + gate_out.unflatten(1, (groups, -1)).unsqueeze(3)  # (N, groups, O/groups, C/groups, kh, kw)
    return weight * torch.sigmoid(logits.flatten(1, 2))
