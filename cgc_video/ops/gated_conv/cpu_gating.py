"""Gating and its gradients in C, each in one pass over the kernels, for convolutions that PyTorch's library computes."""

import torch
from torch import Tensor

from .c_library import call

__all__ = ["CompiledGating"]


class CompiledGating:
    """Gates float32 kernels on the CPU (see ``csrc/gating.c``).

    Args:
        weight: ``(O, C/groups, kh, kw)``.
        a: ``exp(-gate_in)``, ``(N, C, kh, kw)``.
        b: ``exp(-gate_out)``, ``(N, O, kh, kw)``.
        groups: Groups of the convolution.
    """

    def __init__(self, weight: Tensor, a: Tensor, b: Tensor, groups: int) -> None:
        self.weight, self.a, self.b = (tensor.contiguous() for tensor in (weight, a, b))
        self.sizes = len(weight), weight.shape[1], weight.shape[2] * weight.shape[3], groups
        self.threads = torch.get_num_threads()
        self.buffer = weight.new_empty(0)
        # Made with the first gradients: a forward pass needs none.
        self.grad_weight = self.grad_in = self.grad_out = torch.empty(0)

    def kernels(self, chunk: slice) -> Tensor:
        """The gated kernels of a chunk; the buffer is used again by the next one."""
        a, b = self.a[chunk], self.b[chunk]
        if len(self.buffer) < len(a):
            self.buffer = self.weight.new_empty(len(a), *self.weight.shape)
        kernels = self.buffer[: len(a)]
        call("cgc_gate", self.weight, a, b, kernels, len(a), *self.sizes, self.threads)
        return kernels

    def take_gradients(self, chunk: slice, grad_kernels: Tensor) -> None:
        """Add to ``grad_weight``, and set the chunk's part of ``grad_in`` and ``grad_out``."""
        if self.grad_weight.numel() == 0:
            self.grad_weight = torch.zeros_like(self.weight)
            self.grad_in, self.grad_out = torch.empty_like(self.a), torch.empty_like(self.b)
        a, b = self.a[chunk], self.b[chunk]
        parts = min(self.threads, len(self.weight))
        grad_in = a.new_zeros(parts, *a.shape)
        grads = (grad_kernels.contiguous(), self.grad_weight, grad_in, self.grad_out[chunk])
        call("cgc_gate_backward", self.weight, a, b, *grads, len(a), *self.sizes, parts, self.threads)
        torch.sum(grad_in, 0, out=self.grad_in[chunk])
