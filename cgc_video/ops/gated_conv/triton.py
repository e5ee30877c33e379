"""The gated convolution as implicit matrix products on a GPU: no kernel of a sample ever reaches memory.

The kernels of ``triton_kernels.py`` gate each tile of the weight in registers, right before the tensor cores take it.
What is left for the host: strides, block sizes and the geometry. Along one image axis, output pixel ``i`` and tap ``t``
of the forward pass read input pixel ``i * stride - padding + t * dilation``. The input gradient gathers over output
pixels, at ``(h + padding - t * dilation) / stride`` where that is whole. For ``h = r + stride * i`` the taps for which
it is are an arithmetic progression, so the gradient of each residue ``r`` is one more convolution of the same form,
over every ``stride``-th pixel and some of the taps, and no work is masked away.

All layouts are read by their strides. Channels-last is the fast one: neighbouring channels of a pixel are one load.

Tests run the kernels on the CPU, in Triton's interpreter (``TRITON_INTERPRET=1``).
"""

import functools
import itertools
import math
import os
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from .layout import empty_like_format, output_size
from .triton_blocks import Blocks, product_blocks, weight_gradient_blocks, weight_gradient_splits

__all__ = ["backward", "forward", "is_available", "is_faster", "unsupported_reason", "why_unavailable"]

_DTYPES = (torch.float32, torch.bfloat16, torch.float16)
_MAX_INT = 2**31 - 1  # pixels are counted, and elements of the weight addressed, in 32 bits; other addresses have 64


def is_available() -> bool:
    """Whether Triton is installed; it is imported on first use."""
    return why_unavailable() is None


def why_unavailable() -> str | None:
    """Why the kernels cannot be used on this machine, or ``None`` if they can."""
    return _load()[1]


def unsupported_reason(
    x: Tensor,
    weight: Tensor,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> str | None:
    """Why this backend cannot run a call, as a clause, or ``None`` if it can."""
    interpret = os.environ.get("TRITON_INTERPRET") == "1"
    if x.device.type != ("cpu" if interpret else "cuda") or weight.device != x.device:
        where = "with TRITON_INTERPRET=1 it runs on the CPU" if interpret else "it runs on a GPU"
        return f"{where} only ({x.device} given, weight on {weight.device})"
    if x.dtype not in _DTYPES or weight.dtype not in (torch.float32, x.dtype):
        given = " with weight ".join(str(tensor.dtype).removeprefix("torch.") for tensor in (x, weight))
        return f"it takes float32, bfloat16 and float16, and a weight of that dtype or float32 ({given} given)"
    size = output_size(*x.shape[2:], *weight.shape[2:], stride, padding, dilation)
    if min(size) < 1:
        return f"the kernel {tuple(weight.shape[2:])} does not fit the padded input {tuple(x.shape[2:])}"
    if max(weight.numel(), math.prod(size)) > _MAX_INT:
        return f"the weight {tuple(weight.shape)} or an image {size} has 2**31 elements or more"
    if not interpret and (capability := _capability(x.device)) < (8, 0):
        return f"it needs a GPU of compute capability 8.0 or newer ({capability[0]}.{capability[1]} given)"
    kernels, reason = _load()
    if kernels is not None and not (kernels.CONSISTENT and interpret == kernels.INTERPRETED):
        return "TRITON_INTERPRET was changed after Triton was imported; set it before the process starts"
    return reason


def is_faster(x: Tensor, weight: Tensor, stride, padding, dilation, groups: int) -> bool:
    """Whether this backend is expected to beat the eager one.

    Derived, not measured: 16-bit products run on the tensor cores, float32 ones do not (``input_precision="ieee"``),
    and groups of few channels leave most of a tile of at least 16 empty.
    """
    out_per_group, per_group = weight.shape[0] // groups, weight.shape[1]
    return x.is_cuda and x.dtype != torch.float32 and out_per_group >= 16 and (per_group >= 16 or groups == 1)


def forward(
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Tensor:
    """See :func:`gated_conv2d`; products accumulate in float32."""
    size = output_size(*x.shape[2:], *weight.shape[2:], stride, padding, dilation)
    y = empty_like_format(x, len(x), len(weight), *size)
    weight = weight.contiguous(memory_format=torch.channels_last)  # neighbouring input channels fill one load
    axes = _forward_axes(stride, padding, dilation)
    _launch_product(x, weight, gate_out, gate_in, y, groups, axes)
    return y


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
    """Gradients of the four tensors, ``None`` for one that is not needed; a call gives the same bits each time."""
    need_x, *other_needs = needs
    grad_x = None
    packed = weight.contiguous(memory_format=torch.channels_last)
    if need_x:
        grad_x = empty_like_format(x, *x.shape)
        args_h, args_w = zip(weight.shape[2:], stride, padding, dilation, strict=True)
        for residue_h, residue_w in itertools.product(*map(range, stride)):
            (taps_h, axis_h), (taps_w, axis_w) = _residue(residue_h, *args_h), _residue(residue_w, *args_w)
            kernel, gate_c, gate_o = (tensor[:, :, taps_h, taps_w] for tensor in (packed, gate_in, gate_out))
            target = grad_x[:, :, residue_h :: stride[0], residue_w :: stride[1]]
            _launch_product(grad, kernel, gate_c, gate_o, target, groups, (axis_h, axis_w), transposed=True)
    if not any(other_needs):
        return grad_x, None, None, None
    axes = _forward_axes(stride, padding, dilation)
    sums = _launch_weight_gradient(grad, x, packed, gate_in, gate_out, groups, axes, other_needs)
    return grad_x, *map(_in_format_of, (weight, gate_in, gate_out), sums)


class _Axis(NamedTuple):
    """Along one image axis, output pixel ``i`` and tap ``t`` read input pixel ``i * step + start + t * tap_step``."""

    step: int
    start: int
    tap_step: int


def _forward_axes(stride, padding, dilation) -> list[_Axis]:
    return [_Axis(step, -pad, tap_step) for step, pad, tap_step in zip(stride, padding, dilation, strict=True)]


def _residue(residue: int, taps: int, stride: int, padding: int, dilation: int) -> tuple[slice, _Axis]:
    """The taps that reach the input pixels ``residue + stride * i``, and which output pixels they reach them from."""
    period = stride // math.gcd(stride, dilation)
    reaching = (t for t in range(min(period, taps)) if (residue + padding - t * dilation) % stride == 0)
    first = next(reaching, taps)  # none: an empty slice, and the gradient is 0
    start = (residue + padding - first * dilation) // stride
    return slice(first, None, period), _Axis(1, start, -(period * dilation) // stride)


def _launch_product(x, weight, gate_o, gate_c, y, groups: int, axes, transposed: bool = False) -> None:
    """Write the gated convolution of ``x`` to ``y``; ``transposed``: ``x`` has the weight's output channels."""
    if y.numel() == 0:
        return
    batch, out_channels, out_pixels = len(y), y.shape[1] // groups, y.shape[2] * y.shape[3]
    channels, taps = x.shape[1] // groups, weight.shape[2] * weight.shape[3]
    blocks = product_blocks(out_channels, channels, taps, out_pixels, x.dtype)
    grid = _blocks(out_channels, blocks.o) * groups * _blocks(out_pixels, blocks.p) * batch
    stride_o, stride_c, *stride_taps = weight.stride()
    group_stride = len(weight) // groups * stride_o
    if transposed:
        stride_o, stride_c = stride_c, stride_o
    with torch.cuda.device_of(x):
        _kernels()._gated_conv_fwd_kernel[(grid,)](
            x, weight, gate_c, gate_o, y,
            groups, out_channels, channels, taps,
            *x.shape[2:], out_pixels, y.shape[3], *_interleaved(axes),
            *x.stride(), group_stride, stride_o, stride_c, *stride_taps,
            *gate_c.stride(), *gate_o.stride(), *y.stride(),
            TAPS_W=max(1, weight.shape[3]), **_options(blocks, x),
        )  # fmt: skip


def _launch_weight_gradient(grad, x, weight, gate_in, gate_out, groups: int, axes, needs) -> list[Tensor | None]:
    """Gradients of the weight and the two logits in their shapes, in float32, ``None`` for one that is not needed."""
    batch, all_channels, *size = x.shape
    all_out, channels, *kernel_size = weight.shape
    out_channels, taps, out_pixels = all_out // groups, math.prod(kernel_size), math.prod(grad.shape[2:])
    blocks = weight_gradient_blocks(out_channels, channels, taps, out_pixels, x.dtype)
    o_blocks, c_blocks = _blocks(out_channels, blocks.o), _blocks(channels, blocks.c)
    k_blocks = _blocks(taps, blocks.taps) * c_blocks
    splits = weight_gradient_splits(k_blocks * o_blocks * groups, batch, x.device)
    shapes = (splits, taps, all_out, channels), (o_blocks, batch, taps, all_channels), (c_blocks, batch, taps, all_out)
    # What is not needed is not written; a scalar stands in for its pointer.
    parts = [x.new_empty(s if need else (), dtype=torch.float32) for s, need in zip(shapes, needs, strict=True)]
    if batch == 0:
        parts[0].zero_()
    elif weight.numel():
        with torch.cuda.device_of(x):
            _kernels()._gated_conv_bwd_weight_kernel[(k_blocks, o_blocks * groups, splits)](
                grad, x, weight, gate_in, gate_out, *parts,
                batch, groups, out_channels, channels, taps,
                *size, out_pixels, grad.shape[3], *_interleaved(axes),
                *grad.stride(), *x.stride(), *weight.stride(), *gate_in.stride(), *gate_out.stride(),
                _blocks(batch, splits), *needs, TAPS_W=kernel_size[1], **_options(blocks, x),
            )  # fmt: skip
    axis_of_taps = (0, 1, 1)  # of (taps, C_out, C_in / groups) and of (N, taps, channels)
    return [
        part.sum(0).movedim(axis, 2).unflatten(2, kernel_size) if need else None
        for part, axis, need in zip(parts, axis_of_taps, needs, strict=True)
    ]


def _in_format_of(like: Tensor, total: Tensor | None) -> Tensor | None:
    return None if total is None else empty_like_format(like, *like.shape).copy_(total)


def _options(blocks: Blocks, x: Tensor) -> dict:
    return {
        "BLOCK_O": blocks.o,
        "BLOCK_C": blocks.c,
        "BLOCK_TAPS": blocks.taps,
        "BLOCK_P": blocks.p,
        "WIDEN": _kernels().INTERPRETED and x.dtype != torch.float32,
        "num_warps": blocks.warps,
        "num_stages": blocks.stages,
    }


def _interleaved(axes) -> list[int]:
    """``step_h, step_w, start_h, start_w, tap_step_h, tap_step_w``"""
    return [value for pair in zip(*axes, strict=True) for value in pair]


def _blocks(size: int, block: int) -> int:
    return -(-size // block)


@functools.lru_cache
def _capability(device: torch.device) -> tuple[int, int]:
    return torch.cuda.get_device_capability(device)


def _kernels() -> ModuleType:
    return _load()[0]


@functools.lru_cache(maxsize=1)
def _load() -> tuple[ModuleType | None, str | None]:
    """The module of the kernels, or why there is none."""
    try:
        import triton
    except ImportError as error:
        return None, f"triton is not installed ({error})"
    if int(triton.__version__.split(".")[0]) < 3:
        return None, f"triton 3.0 or newer is needed ({triton.__version__} installed)"
    from . import triton_kernels

    return triton_kernels, None
