"""The gated convolution on the CPU in float32, by compiled kernels.

They take ``exp(-gate_in)`` and ``exp(-gate_out)``, small tensors, because ``sigmoid(i + o) = 1 / (1 + exp(-i) exp(-o))``: one
multiply-add and one reciprocal per kernel element. Small output maps are bound by the traffic of the kernels, so there the whole
convolution is ours and the gate never leaves the registers (``cpu_direct.py``); on large ones gating is a small part of the work, and
PyTorch's convolution runs on kernels gated in one pass (``cpu_gating.py``). Where the kernels cannot be compiled (see
``c_library.py``) one log line says why, and the eager backend serves.
"""

import torch
from torch import Tensor

from . import c_library, chunked, cpu_direct, eager
from .cpu_gating import CompiledGating
from .layout import memory_format, output_size

__all__ = ["backward", "forward", "is_faster", "unsupported_reason"]

_MAX_LOGIT = 40.0  # exp(2 * 40) and its reciprocal are normal float32 numbers


def unsupported_reason(x: Tensor, weight: Tensor, stride, padding, dilation, groups: int) -> str | None:
    """Why this backend cannot run a call, as a clause, or ``None`` if it can."""
    for tensor in (x, weight):
        if tensor.device.type != "cpu":
            return f"it runs on the CPU only ({tensor.device} given)"
        if tensor.dtype != torch.float32:
            return f"it takes float32 only ({str(tensor.dtype).removeprefix('torch.')} given)"
    return c_library.why_unavailable()


def is_faster(x: Tensor, weight: Tensor, stride, padding, dilation, groups: int) -> bool:
    """``True``: this backend does what the eager one does in fewer passes over the kernels."""
    return True


def forward(x: Tensor, weight: Tensor, gate_in: Tensor, gate_out: Tensor, stride, padding, dilation, groups: int) -> Tensor:
    """See :func:`gated_conv2d`. What the arithmetic cannot hold (logits beyond +-40, NaN) goes to the eager backend."""
    if not _in_range(gate_in, gate_out):
        return eager.forward(x, weight, gate_in, gate_out, stride, padding, dilation, groups)
    a, b = gate_in.neg().exp_(), gate_out.neg().exp_()
    if _is_small(x, weight, stride, padding, dilation, groups):
        return cpu_direct.forward(x, weight, a, b, stride, padding, dilation)
    return chunked.forward(CompiledGating(weight, a, b, groups), x, weight, stride, padding, dilation, groups)


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
    if not _in_range(gate_in, gate_out):
        return eager.backward(grad, x, weight, gate_in, gate_out, stride, padding, dilation, groups, needs)
    a, b = gate_in.neg().exp_(), gate_out.neg().exp_()
    if _is_small(x, weight, stride, padding, dilation, groups):
        return cpu_direct.backward(grad, x, weight, a, b, stride, padding, dilation, needs)
    gating = CompiledGating(weight, a, b, groups)
    grad_x = chunked.backward(gating, grad, x, weight, stride, padding, dilation, groups, needs)
    grad_weight = gating.grad_weight.contiguous(memory_format=memory_format(weight))
    grads = (grad_weight, gating.grad_in, gating.grad_out)
    return grad_x, *(value if need else None for value, need in zip(grads, needs[1:], strict=True))


def _is_small(x: Tensor, weight: Tensor, stride, padding, dilation, groups: int) -> bool:
    """Whether the direct kernel beats a library's convolution of gated kernels.

    Measured on 2 cores of an AMD EPYC (AVX2), milliseconds forward / forward and backward, medians of 5:

    =====================================  ============  ============  ============
    channels, output map, batch            plain         direct        gated kernels
    =====================================  ============  ============  ============
    512, 2 x 2, 256                        77 / 522      138 / 518     1022 / 3685
    256, 4 x 4, 256                        73 / 232      96 / 423      282 / 890
    128, 8 x 8, 256                        69 / 222      101 / 342     124 / 379
    512, 7 x 7, 8                          27 / 93       29 / 110      62 / 178
    256, 14 x 14, 8                        26 / 83       29 / 105      32 / 105
    64, 16 x 16, 256                       72 / 225      120 / 371     94 / 270
    128, 28 x 28, 8                        27 / 84       36 / 119      29 / 90
    =====================================  ============  ============  ============

    So it serves up to 14 x 14 output pixels, each weighted by the work that padding the channels to whole vectors adds.
    """
    out_channels, channels = weight.shape[:2]
    out_h, out_w = output_size(*x.shape[2:], *weight.shape[2:], stride, padding, dilation)
    if groups != 1 or 0 in (x.numel(), weight.numel(), out_h * out_w):
        return False
    padding_factor = cpu_direct.padded(channels) * cpu_direct.padded(out_channels) / (channels * out_channels)
    return out_h * out_w * padding_factor <= 200


def _in_range(*gates: Tensor) -> bool:
    """Whether all logits are float32 numbers of at most ``_MAX_LOGIT``; ``False`` for NaN."""
    return all(
        gate.dtype == torch.float32 and gate.numel() > 0 and bool(gate.detach().abs().amax() <= _MAX_LOGIT) for gate in gates
    )
