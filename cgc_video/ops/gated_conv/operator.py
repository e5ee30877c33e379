"""The gated convolution as two operators of ``torch.library``: forward and backward, each with a shape function.

An operator is opaque to ``torch.compile`` and ``torch.export``: they see its shapes, and its backend is selected when it runs.
The forward keeps its four inputs for backward and nothing else, so nothing of a kernel's size per sample outlives a call.
PyTorch before 2.4 cannot register operators this way; there the same functions run under ``torch.autograd.Function``.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .dispatch import load_backend, select_backend
from .layout import empty_like_format, output_size

__all__ = ["gated_conv2d_operator"]

_ONCE = "gated_conv2d is differentiable once; use backend='reference' for a second derivative."


def _forward(
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    backend: str,
) -> Tensor:
    call = (tuple(stride), tuple(padding), tuple(dilation), groups)
    return load_backend(select_backend(x, weight, *call, backend=backend)).forward(x, weight, gate_in, gate_out, *call)


def _backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    backend: str,
    needs: Sequence[bool],
) -> list[Tensor]:
    """The gradients that are needed, in the order of the inputs."""
    call = (tuple(stride), tuple(padding), tuple(dilation), groups)
    chosen = load_backend(select_backend(x, weight, *call, backend=backend))
    grads = chosen.backward(grad, x, weight, gate_in, gate_out, *call, tuple(needs))
    return [value for value in grads if value is not None]


def _forward_shape(x, weight, gate_in, gate_out, stride, padding, dilation, groups, backend):
    size = output_size(*x.shape[2:], *weight.shape[2:], stride, padding, dilation)
    return empty_like_format(x, x.shape[0], weight.shape[0], *size)


def _backward_shape(grad, x, weight, gate_in, gate_out, stride, padding, dilation, groups, backend, needs):
    inputs = (x, weight, gate_in, gate_out)
    return [empty_like_format(value, *value.shape) for value, need in zip(inputs, needs, strict=True) if need]


def _save(ctx, inputs, output) -> None:
    *tensors, ctx.stride, ctx.padding, ctx.dilation, ctx.groups, ctx.backend = inputs
    ctx.save_for_backward(*tensors)


def _differentiate(ctx, grad: Tensor):
    needs = list(ctx.needs_input_grad[:4])
    grads = iter(
        _backward_operator(
            grad, *ctx.saved_tensors, ctx.stride, ctx.padding, ctx.dilation, ctx.groups, ctx.backend, needs
        )
        if any(needs)
        else ()
    )
    return *(next(grads) if need else None for need in needs), None, None, None, None, None


def _refuse(ctx, *grads):
    raise RuntimeError(_ONCE)


if hasattr(torch.library, "custom_op"):
    _backward_operator = torch.library.custom_op("cgc_video::gated_conv2d_backward", mutates_args=())(_backward)
    _backward_operator.register_fake(_backward_shape)
    _backward_operator.register_autograd(_refuse)  # or a second derivative would be a riddle
    gated_conv2d_operator = torch.library.custom_op("cgc_video::gated_conv2d", mutates_args=())(_forward)
    gated_conv2d_operator.register_fake(_forward_shape)
    gated_conv2d_operator.register_autograd(_differentiate, setup_context=_save)
else:

    class _GatedConv2d(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            _save(ctx, inputs, None)
            return _forward(*inputs)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            return _differentiate(ctx, grad)

    _backward_operator = _backward
    gated_conv2d_operator = _GatedConv2d.apply
