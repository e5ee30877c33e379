"""What the three context-gated convolutions share: the plain convolution's arguments, the gate, the padding, the call of the op.

Source: Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 3.2 and 4.1.
"""

from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.conv import _ConvNd

from cgc_video.ops import gated_conv2d, modulated_conv2d

from .context_gate import ContextGate

__all__ = ["ContextGatedConv", "Size", "pool1d", "pool2d"]

Size = int | tuple[int, ...]


class ContextGatedConv(_ConvNd):
    """A convolution over 1 to 3 dims that runs as a gated 2D convolution. A pointwise one has no gate and is plain (Sec. 4.1).

    Args:
        kernel_size, stride, padding, dilation: An int, or one value per dim; the kernel says how many dims there are.
        default_dims: Dims of the kernel where ``kernel_size`` is an int.
        Others as in :class:`torch.nn.Conv2d`. The weight has the shape of the plain convolution's.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Size | str,
        dilation: Size,
        groups: int,
        bias: bool,
        padding_mode: str,
        default_dims: int,
        **factory,
    ) -> None:
        dims = default_dims if isinstance(kernel_size, int) else len(kernel_size)
        super().__init__(
            in_channels,
            out_channels,
            _spread(kernel_size, dims, "kernel_size"),
            _spread(stride, dims, "stride"),
            padding if isinstance(padding, str) else _spread(padding, dims, "padding"),
            _spread(dilation, dims, "dilation"),
            transposed=False,
            output_padding=(0,) * dims,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
            **factory,
        )

    def _set_up_gate(
        self,
        side: tuple[int, ...],
        gate_frames: int | None = None,
        context_scale: int = 1,
        latent_dim: int | None = None,
        pool: str = "avg",
        **gate_options,
    ) -> None:
        """Give the layer its gate. ``side`` is the context grid at ``context_scale`` 1; it sets the latent size too."""
        if pool not in ("avg", "max"):
            raise ValueError(f"pool ({pool!r}) must be 'avg' or 'max'.")
        if context_scale < 1:
            raise ValueError(f"context_scale ({context_scale}) must be at least 1.")
        self.pool = pool
        self.grid = tuple(context_scale * length for length in side)
        kernel = self._as2d(self.kernel_size, fill=1)
        gate_shape = kernel if gate_frames is None else (gate_frames, *kernel)
        latent_dim = prod(side) // 2 + 1 if latent_dim is None else latent_dim
        gate = ContextGate(self.in_channels, self.out_channels, prod(self.grid), gate_shape, latent_dim, **gate_options)
        self.gate = None if prod(kernel) == 1 else gate.to(self.weight)

    def _as2d(self, values: tuple[int, ...], fill: int) -> tuple[int, int]:
        """The values of a size argument for the 2D convolution underneath; ``fill`` stands in for a dim that is not there."""
        return tuple(values[-2:])

    def _pads2d(self) -> tuple[int, ...]:
        """Padding of the last two dims in the order of :func:`torch.nn.functional.pad`."""
        return tuple(self._reversed_padding_repeated_twice[:4])

    def _convolve(self, x: Tensor, gate_in: Tensor | None, gate_out: Tensor | None) -> Tensor:
        """Convolve ``(N, C, H, W)`` with the gated kernels, by logits ``(N, C or O, kh, kw)``."""
        weight = self.weight.view(*self.weight.shape[:2], *self._as2d(self.kernel_size, fill=1))
        args = {
            "stride": self._as2d(self.stride, fill=1),
            "padding": (0, 0),
            "dilation": self._as2d(self.dilation, fill=1),
            "groups": self.groups,
        }
        if self.padding_mode != "zeros":
            x = F.pad(x, self._pads2d(), mode=self.padding_mode)
        elif isinstance(self.padding, str):
            x = F.pad(x, self._pads2d())
        else:
            args["padding"] = self._as2d(self.padding, fill=0)
        if self.gate is None:
            return F.conv2d(x, weight, self.bias, **args)
        if self.gate.gate == "product":
            return modulated_conv2d(x, weight * self._gate(gate_in, gate_out), self.bias, **args)
        if gate_in is None:
            gate_in = gate_out.new_zeros(x.shape[0], self.in_channels, *gate_out.shape[2:])
        if gate_out is None:
            gate_out = gate_in.new_zeros(x.shape[0], self.out_channels, *gate_in.shape[2:])
        return gated_conv2d(x, weight, gate_in, gate_out, self.bias, **args)

    def gate_logits(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """The logits ``(N, C, kh, kw)`` and ``(N, O, kh, kw)`` that the layer decodes from its input, None for a branch that is not there.

        Args:
            x: What ``forward`` takes. ``N`` counts samples, or frames where the gate is per frame (``CGC3d``).
        """
        return (None, None) if self.gate is None else self._decode_logits(x)

    def _decode_logits(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        raise NotImplementedError

    def gates(self, x: Tensor) -> Tensor:
        """The gates that ``x`` gives rise to, Eq. (1): ``(N, O, C / groups, kh, kw)`` in 0..1.

        To look at: ``forward`` never holds them all. With one branch alone, the axis of the other has length 1.

        Raises:
            ValueError: If the layer is pointwise.
        """
        if self.gate is None:
            raise ValueError(f"kernel_size ({self.kernel_size}) is pointwise: this layer has no gate (Sec. 4.1).")
        return self._gate(*self.gate_logits(x))

    def modulated_weight(self, x: Tensor) -> Tensor:
        """The kernels ``(N, O, C / groups, kh, kw)`` that ``x`` is convolved with, Eq. (2); as for :meth:`gates`."""
        return self.weight.view(*self.weight.shape[:2], *self._as2d(self.kernel_size, fill=1)) * self.gates(x)

    def _gate(self, gate_in: Tensor | None, gate_out: Tensor | None) -> Tensor:
        if gate_in is not None:
            size = self.out_channels // self.groups
            gate_in = gate_in.unflatten(1, (self.groups, 1, -1)).expand(-1, -1, size, -1, -1, -1).flatten(1, 2)
        if gate_out is not None:
            gate_out = gate_out.unsqueeze(2)
        if gate_in is None or gate_out is None:
            return torch.sigmoid(gate_out if gate_in is None else gate_in)
        return torch.sigmoid(gate_in * gate_out if self.gate.gate == "product" else gate_in + gate_out)

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs) -> None:
        """Take a plain layer's kernel doubled: its gate, which starts at one half, then gives the plain convolution."""
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        has_gate = any(key.startswith(f"{prefix}gate.") for key in state_dict)
        if self.gate is not None and f"{prefix}weight" in state_dict and not has_gate:
            self.gate.reset_parameters()
            with torch.no_grad():
                self.weight.mul_(2)

    def _require(self, holds: bool, name: str, rule: str) -> None:
        if not holds:
            raise ValueError(f"{name} ({getattr(self, name)}) of {type(self).__name__} must be {rule}.")


def pool1d(x: Tensor, size: tuple[int], pool: str) -> Tensor:
    """Pool ``(N, C, L)`` adaptively to ``size``; ``pool`` is ``"avg"`` or ``"max"``."""
    return F.adaptive_avg_pool1d(x, size) if pool == "avg" else F.adaptive_max_pool1d(x, size)


def pool2d(x: Tensor, size: tuple[int, int], pool: str) -> Tensor:
    """Pool ``(N, C, H, W)`` adaptively to ``size``; ``pool`` is ``"avg"`` or ``"max"``."""
    return F.adaptive_avg_pool2d(x, size) if pool == "avg" else F.adaptive_max_pool2d(x, size)


def _spread(value: Size, dims: int, name: str) -> tuple[int, ...]:
    values = (value,) * dims if isinstance(value, int) else tuple(value)
    if len(values) != dims:
        raise ValueError(f"{name} ({value}) must be an int or {dims} values, as many as kernel_size has.")
    return values
