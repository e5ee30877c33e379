"""The gated convolution in plain PyTorch, on any device and in any floating dtype.

With ``G`` the gate and ``V`` the gradient of the modulated kernel, ``dW = sum_n G V`` and the gradient of the logits is
``V W G (1 - G)``, summed over the output channels for ``gate_in`` and over the input channels for ``gate_out``.
"""

import torch
from torch import Tensor

from . import chunked
from .layout import empty_like_format

__all__ = ["backward", "forward", "is_faster", "unsupported_reason"]


def unsupported_reason(x: Tensor, weight: Tensor, stride, padding, dilation, groups: int) -> str | None:
    """``None``: this backend runs every call."""
    return None


def is_faster(x: Tensor, weight: Tensor, stride, padding, dilation, groups: int) -> bool:
    """``True``: this backend serves where no other does."""
    return True


def forward(x: Tensor, weight: Tensor, gate_in: Tensor, gate_out: Tensor, stride, padding, dilation, groups: int) -> Tensor:
    """See :func:`gated_conv2d`."""
    gating = _Gating(x, weight, gate_in, gate_out, groups)
    return chunked.forward(gating, x, weight, stride, padding, dilation, groups)


def backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
    needs: tuple[bool, bool, bool, bool],
) -> tuple[Tensor | None, ...]:
    """Gradients of the four tensors, ``None`` for one that is not needed."""
    gating = _Gating(x, weight, gate_in, gate_out, groups, needs)
    grad_x = chunked.backward(gating, grad, x, weight, stride, padding, dilation, groups, needs)
    if gating.grad_weight is not None:
        gating.grad_weight = empty_like_format(weight, *weight.shape).copy_(gating.grad_weight)
    return grad_x, gating.grad_weight, gating.grad_in, gating.grad_out


class _Gating:
    def __init__(self, x, weight, gate_in, gate_out, groups, needs=(False,) * 4):
        self.dtype, self.groups = x.dtype, groups
        self.weight, self.gate_in, self.gate_out = weight, gate_in, gate_out
        _, need_weight, need_in, need_out = needs
        self.has_gradients = need_weight or need_in or need_out
        sum_dtype = torch.promote_types(weight.dtype, torch.float32)
        self.grad_weight = torch.zeros_like(weight, dtype=sum_dtype) if need_weight else None
        self.grad_in = empty_like_format(gate_in, *gate_in.shape) if need_in else None
        self.grad_out = empty_like_format(gate_out, *gate_out.shape) if need_out else None

    def gate(self, chunk: slice) -> Tensor:
        """``(n, O, C/groups, kh, kw)``"""
        per_group = self.gate_in[chunk].unflatten(1, (self.groups, 1, -1))      # (n, groups, 1, C/groups, kh, kw)
        logits = per_group + self.gate_out[chunk].unflatten(1, (self.groups, -1)).unsqueeze(3)
        return logits.flatten(1, 2).sigmoid_()                                  # from (n, groups, O/groups, C/groups, kh, kw)

    def kernels(self, chunk: slice) -> Tensor:
        gate = self.gate(chunk)
        if not self.has_gradients:
            return gate.mul_(self.weight).to(self.dtype)
        self.last_gate = gate  # for take_gradients
        return (gate * self.weight).to(self.dtype)

    def take_gradients(self, chunk: slice, grad_kernels: Tensor) -> None:
        gate = self.last_gate
        product = gate * grad_kernels
        if self.grad_weight is not None:
            self.grad_weight += product.sum(0)
        if self.grad_in is None and self.grad_out is None:
            return
        grad_logits = product.mul_(self.weight).mul_(gate.neg_().add_(1))
        if self.grad_out is not None:
            self.grad_out[chunk] = grad_logits.sum(2)
        if self.grad_in is not None:  # each group's output channels share that group's input logits
            self.grad_in[chunk] = grad_logits.unflatten(1, (self.groups, -1)).sum(2).flatten(1, 2)
