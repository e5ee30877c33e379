"""Block sizes of the Triton kernels: one rule per kernel, from the shape, with its reasons; any sizes are correct."""

from typing import NamedTuple

import torch

__all__ = ["Blocks", "product_blocks", "weight_gradient_blocks", "weight_gradient_splits"]

_SMALLEST = 16  # along every side of a tile that tl.dot takes


class Blocks(NamedTuple):
    """A program's tile: output channels, input channels, kernel taps and pixels, and how it is compiled."""

    o: int
    c: int
    taps: int
    p: int
    warps: int = 4
    stages: int = 3


def product_blocks(out_channels: int, channels: int, taps: int, pixels: int, dtype: torch.dtype) -> Blocks:
    """For the forward pass and the input gradient: a tile of ``o x p`` sums over columns of ``taps x c``.

    A program gates every kernel element that it uses, so a gate costs ``1 / p`` of its work per pixel: as many pixels
    as the image has, up to 256. Their float32 sums for 64 output channels fill half the registers of four warps, which
    leaves room for 32 columns. An image of at most 64 pixels takes 128 output channels and 64 columns instead. Channels
    that share a block of columns with other taps need an address and a mask of their own per pixel: 16 columns, 128
    pixels. float32 products do not run on the tensor cores, and hold their operands in registers.

    Compiled for compute capability 9.0, these spill at most 8 bytes per thread, the next larger tiles 200 to 1000. Not
    timed on a GPU yet.
    """
    if dtype == torch.float32:
        return Blocks(_side(out_channels, 64), *_columns(channels, taps, 16), _side(pixels, 64), stages=2)
    if channels < _SMALLEST:
        return Blocks(_side(out_channels, 64), *_columns(channels, taps, 16), _side(pixels, 128))
    if pixels <= 64:
        return Blocks(_side(out_channels, 128), *_columns(channels, taps, 64), _side(pixels, 64))
    return Blocks(_side(out_channels, 64), *_columns(channels, taps, 32), _side(pixels, 256))


def weight_gradient_blocks(out_channels: int, channels: int, taps: int, pixels: int, dtype: torch.dtype) -> Blocks:
    """For the weight gradient: a tile of ``o x (taps x c)`` sums over ``p`` pixels at a time, sample by sample.

    Three float32 tiles stay in registers (a sample's gradient, the sum over samples, the weight): 128 x 64 of eight
    warps, or 64 x 64 of four, are 96 registers per thread. Compiled for compute capability 9.0, these spill at most 24
    bytes per thread, twice the pixels 168.
    """
    if dtype == torch.float32:
        return Blocks(_side(out_channels, 64), *_columns(channels, taps, 32), _side(pixels, 16), stages=2)
    o = _side(out_channels, 128)
    return Blocks(o, *_columns(channels, taps, 64), _side(pixels, 64), warps=8 if o == 128 else 4)


def weight_gradient_splits(programs: int, batch: int, device: torch.device) -> int:
    """Into how many parts the batch is split, so that every multiprocessor has at least four programs.

    One or two run at a time; the others keep the last round from leaving most multiprocessors idle. Each part costs a
    copy of the weight's gradient.
    """
    processors = 1 if device.type == "cpu" else torch.cuda.get_device_properties(device).multi_processor_count
    return max(1, min(batch, -(-4 * processors // max(1, programs))))


def _side(size: int, most: int) -> int:
    """The power of two that holds ``size``, within ``_SMALLEST`` and ``most``."""
    return max(_SMALLEST, min(most, _power_of_two(size)))


def _columns(channels: int, taps: int, most: int) -> tuple[int, int]:
    """Channels and taps of a block of columns: one tap, or several where the channels of one do not fill a tile."""
    c = min(most, _power_of_two(channels))
    if c >= _SMALLEST:
        return c, 1
    return c, max(_SMALLEST // c, min(min(most, 32) // c, _power_of_two(taps)))


def _power_of_two(size: int) -> int:
    return 1 << max(0, size - 1).bit_length()
