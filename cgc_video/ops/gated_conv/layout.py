"""Sizes and memory formats that all backends and the operator's shape function agree on."""

import torch
from torch import Tensor

__all__ = ["empty_like_format", "memory_format", "output_size"]


def output_size(height, width, kh, kw, stride, padding, dilation) -> tuple[int, int]:
    """Height and width of a convolution's output; not positive where the kernel does not fit the padded input."""
    (stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w) = stride, padding, dilation
    return (
        (height + 2 * pad_h - dilation_h * (kh - 1) - 1) // stride_h + 1,
        (width + 2 * pad_w - dilation_w * (kw - 1) - 1) // stride_w + 1,
    )


def memory_format(x: Tensor) -> torch.memory_format:
    """The format that a convolution of ``x`` keeps: channels last if ``x`` is so and not contiguous as well, else contiguous."""
    is_channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return torch.channels_last if is_channels_last else torch.contiguous_format


def empty_like_format(x: Tensor, *size: int, dtype: torch.dtype | None = None) -> Tensor:
    """An uninitialised 4D tensor on the device and in the memory format of ``x``, in its dtype unless told."""
    return torch.empty(size, dtype=dtype or x.dtype, device=x.device, memory_format=memory_format(x))
