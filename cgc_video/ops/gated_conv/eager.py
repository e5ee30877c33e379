"""The gated convolution in plain PyTorch, in chunks of samples, on any device and in any floating dtype.

A chunk's kernels are gated into one buffer and convolved as one grouped convolution. The forward pass keeps the inputs alone;
the backward pass gates each chunk's kernels again. With ``G`` the gate and ``V`` the gradient of the modulated kernel,
``dW = sum_n G V`` and the gradient of the logits is ``V W G (1 - G)``, summed over the output channels for ``gate_in`` and
over the input channels for ``gate_out``.
"""

import torch
from torch import Tensor

__all__ = ["gated_conv2d_eager", "refuse_second_order"]

# Kernels of one chunk, in bytes. 16 MiB stay in the last-level cache of a desktop CPU, between the gating and the convolution.
_CHUNK_BYTES = 16 * 2**20


def gated_conv2d_eager(
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    bias: Tensor | None,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Tensor:
    """See :func:`gated_conv2d`; differentiable once."""
    return _GatedConv2d.apply(x, weight, gate_in, gate_out, bias, stride, padding, dilation, groups)


class _GatedConv2d(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, gate_in, gate_out, bias, stride, padding, dilation, groups):
        ctx.save_for_backward(x, weight, gate_in, gate_out)
        ctx.conv_args, ctx.has_bias = (stride, padding, dilation, groups), bias is not None
        outputs = []
        for chunk in _chunks(len(x), weight):
            kernels = _gate(weight, gate_in[chunk], gate_out[chunk], groups).mul_(weight)
            outputs.append(_convolve_each(x[chunk], kernels.to(x.dtype), stride, padding, dilation, groups))
        if outputs:
            y = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
        else:  # an empty batch: the plain convolution knows the output size
            y = torch.conv2d(x, weight.to(x.dtype), None, stride, padding, dilation, groups)
        return y if bias is None else y.add_(bias.view(-1, 1, 1))

    @staticmethod
    def backward(ctx, grad):
        refuse_second_order()
        x, weight, gate_in, gate_out = ctx.saved_tensors
        groups = ctx.conv_args[-1]
        need_x, need_weight, need_in, need_out = ctx.needs_input_grad[:4]
        grad_x = torch.empty_like(x) if need_x else None
        grad_weight = torch.zeros_like(weight, dtype=_sum_dtype(weight)) if need_weight else None
        grad_in = torch.empty_like(gate_in) if need_in else None
        grad_out = torch.empty_like(gate_out) if need_out else None
        need_kernels = need_weight or need_in or need_out
        for chunk in _chunks(len(x), weight):
            gate = _gate(weight, gate_in[chunk], gate_out[chunk], groups)       # (n, O, C/groups, kh, kw)
            kernels = gate * weight
            grad_chunk, grad_kernels = _convolve_each_backward(
                grad[chunk], x[chunk], kernels.to(x.dtype), *ctx.conv_args, need_x, need_kernels
            )
            if need_x:
                grad_x[chunk] = grad_chunk
            if need_weight:
                grad_weight += (gate * grad_kernels).sum(0)
            if need_in or need_out:
                grad_logits = kernels.mul_(grad_kernels).mul_(gate.neg_().add_(1))
                if need_out:
                    grad_out[chunk] = grad_logits.sum(2)
                if need_in:  # each group's output channels share that group's input logits
                    grad_in[chunk] = grad_logits.unflatten(1, (groups, -1)).sum(2).flatten(1, 2)
        grad_bias = grad.sum((0, 2, 3)) if ctx.has_bias and ctx.needs_input_grad[4] else None
        grad_weight = None if grad_weight is None else grad_weight.to(weight.dtype)
        return grad_x, grad_weight, grad_in, grad_out, grad_bias, None, None, None, None


def refuse_second_order() -> None:
    """Raise where a backward pass is to be differentiated again, which would give wrong numbers without a word."""
    if torch.is_grad_enabled():
        raise RuntimeError("gated_conv2d is differentiable once; use backend='reference' for a second derivative.")


def _chunks(batch_size: int, weight: Tensor) -> list[slice]:
    step = max(1, _CHUNK_BYTES // max(1, weight.numel() * weight.element_size()))
    return [slice(start, min(start + step, batch_size)) for start in range(0, batch_size, step)]


def _sum_dtype(weight: Tensor) -> torch.dtype:
    """Sums over the batch run in float32 at least."""
    return torch.promote_types(weight.dtype, torch.float32)


def _gate(weight: Tensor, gate_in: Tensor, gate_out: Tensor, groups: int) -> Tensor:
    """The gates of a chunk, ``(n, O, C/groups, kh, kw)``."""
    per_group = gate_in.unflatten(1, (groups, 1, -1))                           # (n, groups, 1, C/groups, kh, kw)
    logits = per_group + gate_out.unflatten(1, (groups, -1)).unsqueeze(3)       # (n, groups, O/groups, C/groups, kh, kw)
    return logits.flatten(1, 2).sigmoid_()


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
