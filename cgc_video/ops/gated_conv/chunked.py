"""The gated convolution by a convolution of a library, in chunks of samples that share one buffer of gated kernels.

``n`` samples with a kernel each are one convolution of ``n`` times the groups. What gates the kernels, and takes their gradients
apart again, is a :class:`Gating`; a backward pass gates the kernels again.
"""

from typing import Protocol

import torch
from torch import Tensor

from .layout import empty_like_format, output_size

__all__ = ["Gating", "backward", "forward"]

# Kernels of one chunk, in bytes. 16 MiB stay in the last-level cache of a desktop CPU, between the gating and the convolution.
_CHUNK_BYTES = 16 * 2**20


class Gating(Protocol):
    """Gates the kernels of a chunk of samples, and sums the gradients of what it gated."""

    def kernels(self, chunk: slice) -> Tensor:
        """The gated kernels of a chunk, ``(n, O, C/groups, kh, kw)`` in the dtype of the convolution's input."""

    def take_gradients(self, chunk: slice, grad_kernels: Tensor) -> None:
        """Take the gradients of a chunk's gated kernels, whose ``kernels`` was the last to be called for."""


def forward(gating: Gating, x: Tensor, weight: Tensor, stride, padding, dilation, groups: int) -> Tensor:
    """Convolve each sample with its gated kernel; the output has the memory format of ``x``."""
    size = output_size(*x.shape[2:], *weight.shape[2:], stride, padding, dilation)
    y = empty_like_format(x, x.shape[0], weight.shape[0], *size)
    for chunk in _chunks(len(x), weight):
        y[chunk] = _convolve_each(x[chunk], gating.kernels(chunk), stride, padding, dilation, groups)
    return y


def backward(
    gating: Gating, grad: Tensor, x: Tensor, weight: Tensor, stride, padding, dilation, groups: int, needs
) -> Tensor | None:
    """The gradient of ``x`` if ``needs[0]``; those of the kernels, if any of the others is needed, go to ``gating``."""
    need_x, need_kernels = needs[0], any(needs[1:])
    grad_x = empty_like_format(x, *x.shape) if need_x else None
    for chunk in _chunks(len(x), weight):
        grad_chunk, grad_kernels = _convolve_each_backward(
            grad[chunk], x[chunk], gating.kernels(chunk), stride, padding, dilation, groups, need_x, need_kernels
        )
        if need_x:
            grad_x[chunk] = grad_chunk
        if need_kernels:
            gating.take_gradients(chunk, grad_kernels)
    return grad_x


def _chunks(batch_size: int, weight: Tensor) -> list[slice]:
    step = max(1, _CHUNK_BYTES // max(1, weight.numel() * weight.element_size()))
    return [slice(start, min(start + step, batch_size)) for start in range(0, batch_size, step)]


def _convolve_each(x: Tensor, kernels: Tensor, stride, padding, dilation, groups: int) -> Tensor:
    """Convolve sample ``i`` with kernel ``i``: one convolution with ``n`` times the groups."""
    n = len(x)
    y = torch.conv2d(x.flatten(0, 1).unsqueeze(0), kernels.flatten(0, 1), None, stride, padding, dilation, n * groups)
    return y.squeeze(0).unflatten(0, (n, -1))


def _convolve_each_backward(grad, x, kernels, stride, padding, dilation, groups: int, need_x: bool, need_kernels: bool):
    n = len(x)
    grad_x, grad_kernels, _ = torch.ops.aten.convolution_backward(
        grad.flatten(0, 1).unsqueeze(0),
        x.flatten(0, 1).unsqueeze(0),
        kernels.flatten(0, 1),
        None,
        stride,
        padding,
        dilation,
        False,
        (0, 0),
        n * groups,
        (need_x, need_kernels, False),
    )
    grad_x = grad_x.squeeze(0).unflatten(0, (n, -1)) if need_x else None
    grad_kernels = grad_kernels.unflatten(0, (n, -1)) if need_kernels else None
    return grad_x, grad_kernels
