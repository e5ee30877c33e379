"""The definition of the gated convolution: no speed, no dispatch, one line per step of the equation.

Source: Lin et al., Context-Gated Convolution, ECCV 2020, arXiv:1910.05577v4, Sec. 3.2, Eq. (1) and (2).
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function

__all__ = ["gated_conv2d_reference", "modulated_conv2d"]


def gated_conv2d_reference(
    x: Tensor, weight: Tensor, gate_in: Tensor, gate_out: Tensor, bias: Tensor | None = None, **conv_args
) -> Tensor:
    """Gate the kernel and convolve, one sample at a time; the definition that every backend must match.

    Arguments, result and errors are those of :func:`gated_conv2d`.
    """
    groups = conv_args.get("groups", 1)
    outputs = []
    for x_n, in_n, out_n in zip(x, gate_in, gate_out, strict=True):
        per_group = in_n.unflatten(0, (groups, -1))                             # (groups, C_in/groups, kh, kw)
        in_n = per_group.repeat_interleave(weight.shape[0] // groups, dim=0)    # (C_out, C_in/groups, kh, kw)
        gate = torch.sigmoid(in_n + out_n.unsqueeze(1))                         # Eq. (1)
        outputs.append(F.conv2d(x_n.unsqueeze(0), weight * gate, bias, **conv_args))  # Eq. (2)
    return torch.cat(outputs) if outputs else F.conv2d(x, weight, bias, **conv_args)


def modulated_conv2d(x: Tensor, kernels: Tensor, bias: Tensor | None = None, **conv_args) -> Tensor:
    """Convolve each sample with a kernel of its own, given in full.

    For gates that are no sum of two small tensors (the ablation ``G(1) * G(2)`` of Table 3(a)). It holds the kernels of the
    whole batch in memory; where the gate is ``sigmoid(gate_in + gate_out)`` use :func:`gated_conv2d`.

    Args:
        x: Input ``(N, C_in, H, W)``.
        kernels: ``(N, C_out, C_in / groups, kh, kw)``.
        bias: ``(C_out,)``.
        **conv_args: ``stride``, ``padding``, ``dilation``, ``groups`` as in :func:`torch.nn.functional.conv2d`.
    """
    if has_torch_function((x, kernels)):  # an export takes another form, whose batch is free
        return handle_torch_function(modulated_conv2d, (x, kernels), x, kernels, bias, **conv_args)
    outputs = [F.conv2d(x_n.unsqueeze(0), kernel, bias, **conv_args) for x_n, kernel in zip(x, kernels, strict=True)]
    return torch.cat(outputs) if outputs else F.conv2d(x, kernels.new_empty(kernels.shape[1:]), bias, **conv_args)
