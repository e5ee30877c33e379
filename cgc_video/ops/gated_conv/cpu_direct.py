"""The gated convolution in C for small output maps: gate, products and all gradients in one pass over the kernel.

Where a layer's output has few pixels, gating a kernel per sample costs as much as the convolution, and writing it to memory
costs more. Here each gate is computed in registers, where it is used.
"""

import functools

import torch
from torch import Tensor

from .c_library import call
from .layout import memory_format, output_size

__all__ = ["backward", "forward", "padded"]

_LANES = 16  # channels are padded to multiples of this


def forward(x: Tensor, weight: Tensor, a: Tensor, b: Tensor, stride, padding, dilation) -> Tensor:
    """As :func:`gated_conv2d` with ``groups=1``, by ``a = exp(-gate_in)`` and ``b = exp(-gate_out)``."""
    return _Call(x, weight, a, b, stride, padding, dilation).forward()


def backward(grad: Tensor, x: Tensor, weight: Tensor, a: Tensor, b: Tensor, stride, padding, dilation, needs):
    """The gradients of ``x``, ``weight`` and the logits, ``None`` for one that is not needed."""
    return _Call(x, weight, a, b, stride, padding, dilation).backward(grad, *needs)


def padded(channels: int) -> int:
    """Channels after padding to whole vectors."""
    return -(-channels // _LANES) * _LANES


class _Call:
    """One call's sizes and its inputs in the kernels' layout (see ``csrc/direct.c``)."""

    def __init__(self, x, weight, a, b, stride, padding, dilation):
        self.batch, self.channels, *self.size = x.shape
        self.out_channels, _, *self.kernel_size = weight.shape
        self.out_size = output_size(*self.size, *self.kernel_size, stride, padding, dilation)
        self.geometry = _geometry(*self.size, *self.kernel_size, stride, padding, dilation)
        self.taps, self.pixels, self.rows = (a * b for a, b in (self.kernel_size, self.out_size, self.size))
        self.padded = padded(self.channels), padded(self.out_channels)
        self.threads = torch.get_num_threads()
        self.like = x, weight
        self.x, self.a, self.b = (_pack(tensor, self.threads) for tensor in (x, a, b))
        self.w = _pack(weight, self.threads, taps_first=True)

    def sizes(self) -> tuple[int, ...]:
        return self.batch, *self.padded, self.taps, self.pixels, self.rows

    def forward(self) -> Tensor:
        y = torch.empty(self.batch, self.pixels, self.padded[1])
        call("cgc_forward", self.x, self.w, self.a, self.b, y, *self.geometry, *self.sizes(), self.threads)
        return _unpack(y, self.out_channels, self.out_size, self.threads, self.like[0])

    def backward(self, grad: Tensor, need_x: bool, need_weight: bool, need_in: bool, need_out: bool):
        channels, out_channels = self.padded
        # Threads own ranges of channels of at least 64, then of output channels: each range of the latter needs its own
        # copy of the gradients of x and gate_in, each range of the former one of gate_out.
        c_parts = max(1, min(self.threads, channels // 64))
        o_parts = max(1, min(self.threads // c_parts, out_channels // _LANES))
        dx = torch.zeros(o_parts, self.batch, self.rows, channels) if need_x else None
        dw = torch.zeros(self.taps, out_channels, channels)
        dgi = torch.zeros(o_parts, self.batch, self.taps, channels)
        dgo = torch.zeros(c_parts, self.batch, self.taps, out_channels)
        grads = (_pack(grad, self.threads), dx, dw, dgi, dgo)
        parts = (c_parts, o_parts, self.threads)
        call("cgc_backward", self.x, self.w, self.a, self.b, *grads, *self.geometry, *self.sizes(), *parts)
        (x, weight), gate = self.like, torch.empty(0)
        return (
            _unpack(_sum(dx), self.channels, self.size, self.threads, x) if need_x else None,
            _unpack_taps_first(dw, weight, self.threads) if need_weight else None,
            _unpack(_sum(dgi), self.channels, self.kernel_size, self.threads, gate) if need_in else None,
            _unpack(_sum(dgo), self.out_channels, self.kernel_size, self.threads, gate) if need_out else None,
        )


def _sum(copies: Tensor) -> Tensor:
    return copies[0] if len(copies) == 1 else copies.sum(0)


def _pack(x: Tensor, threads: int, taps_first: bool = False) -> Tensor:
    """``(N, C, *S)`` to ``(N, prod(S), C)``, ``taps_first``: to ``(prod(S), N, C)``. ``C`` (and that ``N``) padded."""
    batch, channels, height, width = x.shape
    rows, lanes = height * width, padded(channels)
    if taps_first:
        packed = (torch.empty if batch == padded(batch) else torch.zeros)(rows, padded(batch), lanes)
        strides = packed.stride(1), packed.stride(0)
    else:
        channels_last = x.permute(0, 2, 3, 1)
        if lanes == channels and channels_last.is_contiguous() and x.data_ptr() % 64 == 0:
            return channels_last
        packed = torch.empty(batch, rows, lanes)
        strides = packed.stride()[:2]
    call("cgc_pack", x.contiguous(), packed, batch, channels, rows, lanes, *strides, threads)
    return packed


def _unpack(packed: Tensor, channels: int, size: tuple[int, int], threads: int, like: Tensor) -> Tensor:
    """The inverse of ``_pack``, in the memory format of ``like``."""
    batch, rows, lanes = packed.shape
    if memory_format(like) == torch.channels_last:
        unpadded = packed.view(batch, *size, lanes)[..., :channels]
        return unpadded.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    x = torch.empty(batch, channels, *size)
    call("cgc_unpack", packed, x, batch, channels, rows, *packed.stride()[:2], threads)
    return x


def _unpack_taps_first(packed: Tensor, like: Tensor, threads: int) -> Tensor:
    """The inverse of ``_pack(like, threads, taps_first=True)``."""
    x = torch.empty(like.shape)
    call("cgc_unpack", packed, x, *x.shape[:2], packed.shape[0], *packed.stride()[1::-1], threads)
    return x.contiguous(memory_format=memory_format(like))


@functools.lru_cache(maxsize=64)
def _geometry(height, width, kh, kw, stride, padding, dilation) -> tuple[Tensor, ...]:
    """Per tap: how many pairs of an input and an output pixel it connects, the input pixels, the output pixels."""
    out_h, out_w = output_size(height, width, kh, kw, stride, padding, dilation)
    (stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w) = stride, padding, dilation
    row = torch.arange(kh)[:, None] * dilation_h + torch.arange(out_h) * stride_h - pad_h  # (kh, out_h)
    column = torch.arange(kw)[:, None] * dilation_w + torch.arange(out_w) * stride_w - pad_w  # (kw, out_w)
    row, column = row[:, None, :, None], column[None, :, None, :]
    valid = ((row >= 0) & (row < height) & (column >= 0) & (column < width)).flatten(2).flatten(0, 1)  # (taps, pixels)
    out = (~valid).to(torch.uint8).argsort(dim=1, stable=True)  # valid pairs first
    at = (row * width + column).flatten(2).flatten(0, 1).gather(1, out)
    return valid.sum(1).int(), at.int().contiguous(), out.int().contiguous()


