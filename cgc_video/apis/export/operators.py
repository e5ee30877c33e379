"""The steps of our networks in operators that every runtime has, under a mode that is on while a network is traced.

Exact but for rounding. They are traced with a batch whose size is free; all other sizes are numbers.
"""

from collections.abc import Callable
from math import ceil, floor
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cgc_video.ops import modulated_conv2d
from cgc_video.ops.gated_conv.standard import convolve_patches, gated_conv2d_standard

__all__ = ["StandardOperators", "interpolation_matrix", "pooling_matrix"]


class StandardOperators(TorchFunctionMode):
    """Within it, gated convolutions, adaptive pooling and linear interpolation over time run in standard operators."""

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _FORMS.get(func, func)(*args, **(kwargs or {}))


def pooling_matrix(length: int, size: int) -> list[list[float]]:
    """Adaptive average pooling of one axis, from ``length`` to ``size`` positions, as a matrix ``(length, size)``."""
    bounds = [(floor(i * length / size), ceil((i + 1) * length / size)) for i in range(size)]
    return [[(start <= place < stop) / (stop - start) for start, stop in bounds] for place in range(length)]


def interpolation_matrix(length: int, size: int) -> list[list[float]]:
    """Linear interpolation of one axis (``align_corners=False``), from ``length`` to ``size`` positions, as a matrix ``(length, size)``."""
    places = [min(max((i + 0.5) * length / size - 0.5, 0.0), length - 1.0) for i in range(size)]
    return [[max(0.0, 1.0 - abs(place - row)) for place in places] for row in range(length)]


def _average1d(x: Tensor, size: Any) -> Tensor:
    (size,) = _tuple(size, 1)
    return x @ x.new_tensor(pooling_matrix(x.shape[2], size))  # (N, C, L) @ (L, P)


def _average2d(x: Tensor, size: Any) -> Tensor:
    rows, columns = _tuple(size, 2)
    if rows == columns == 1:
        return x.mean((-2, -1), keepdim=True)
    pooled = x @ x.new_tensor(pooling_matrix(x.shape[3], columns))  # (N, C, H, P_w)
    return x.new_tensor(pooling_matrix(x.shape[2], rows)).T @ pooled  # (P_h, H) @ (N, C, H, P_w)


def _average3d(x: Tensor, size: Any) -> Tensor:
    if _tuple(size, 3) != (1, 1, 1):
        return F.adaptive_avg_pool3d(x, size)
    return x.mean((-3, -2, -1), keepdim=True)


def _maximum1d(x: Tensor, size: Any, return_indices: bool = False) -> Tensor:
    return _windows(x, 2, *_tuple(size, 1))


def _maximum2d(x: Tensor, size: Any, return_indices: bool = False) -> Tensor:
    rows, columns = _tuple(size, 2)
    return _windows(_windows(x, 2, rows), 3, columns)


def _windows(x: Tensor, dim: int, size: int) -> Tensor:
    """Maxima of the windows of adaptive pooling along one axis."""
    length = x.shape[dim]
    starts = [(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]
    return torch.cat([x.narrow(dim, start, stop - start).amax(dim, keepdim=True) for start, stop in starts], dim)


def _interpolate(
    x: Tensor, size: Any = None, *args: Any, mode: str = "nearest", align_corners: bool | None = None, **kwargs: Any
) -> Tensor:
    if x.dim() != 3 or mode != "linear" or align_corners or size is None:
        return F.interpolate(x, size, *args, mode=mode, align_corners=align_corners, **kwargs)
    return x @ x.new_tensor(interpolation_matrix(x.shape[2], *_tuple(size, 1)))


def _modulated(
    x: Tensor, kernels: Tensor, bias: Tensor | None = None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1
) -> Tensor:
    y = convolve_patches(x, kernels, stride, padding, dilation, groups)
    return y if bias is None else y + bias.view(-1, 1, 1)


def _tuple(size: Any, dims: int) -> tuple[int, ...]:
    return (size,) * dims if isinstance(size, int) else tuple(size)


_FORMS: dict[Callable, Callable] = {
    torch.ops.cgc_video.gated_conv2d.default: gated_conv2d_standard,
    modulated_conv2d: _modulated,
    F.adaptive_avg_pool1d: _average1d,
    F.adaptive_avg_pool2d: _average2d,
    F.adaptive_avg_pool3d: _average3d,
    F.adaptive_max_pool1d: _maximum1d,
    F.adaptive_max_pool2d: _maximum2d,
    F.interpolate: _interpolate,
}
