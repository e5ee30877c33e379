"""The public function: it validates, casts under autocast, and calls the operator."""

import torch
from torch import Tensor

from .operator import gated_conv2d_operator
from .reference import gated_conv2d_reference

__all__ = ["gated_conv2d"]


def gated_conv2d(
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    backend: str = "auto",
) -> Tensor:
    """Convolve each sample with its own gated kernel.

    ``y[n] = conv2d(x[n], weight * sigmoid(gate_in[n] + gate_out[n]))``, each gate broadcast over the other's channel axis.
    Source: Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 3.2, Eq. (1) and (2). Under autocast the logits and the gate stay
    in float32, and the products run in the autocast dtype.

    Args:
        x: Input ``(N, C_in, H, W)``, contiguous or not; ``N`` may be 0.
        weight: ``(C_out, C_in / groups, kh, kw)``.
        gate_in: Logits per input channel, ``(N, C_in, kh, kw)``.
        gate_out: Logits per output channel, ``(N, C_out, kh, kw)``.
        bias: ``(C_out,)``; it is not gated.
        stride, padding, dilation, groups: As in :func:`torch.nn.functional.conv2d`.
        backend: ``"auto"``, one of ``BACKENDS``, or ``"reference"``. A named backend runs or raises.

    Returns:
        ``(N, C_out, H_out, W_out)`` in the dtype of ``x`` (the autocast dtype under autocast).

    Raises:
        ValueError: If the shapes disagree, or the named backend cannot run this call.
    """
    _check_shapes(x, weight, gate_in, gate_out, groups)
    conv_args = (_pair(stride), _pair(padding), _pair(dilation), groups)
    if (dtype := _autocast_dtype(x.device.type)) is not None:
        with torch.autocast(x.device.type, enabled=False):
            return _run(backend, x.to(dtype), weight, gate_in.float(), gate_out.float(), bias, conv_args)
    return _run(backend, x, weight, gate_in, gate_out, bias, conv_args)


def _run(backend: str, x, weight, gate_in, gate_out, bias, conv_args: tuple) -> Tensor:
    if bias is not None:
        bias = bias.to(x.dtype)
    if backend == "reference":
        names = ("stride", "padding", "dilation", "groups")
        return gated_conv2d_reference(x, weight, gate_in, gate_out, bias, **dict(zip(names, conv_args, strict=True)))
    y = gated_conv2d_operator(x, weight, gate_in, gate_out, *conv_args, backend)
    return y if bias is None else y + bias.view(-1, 1, 1)


def _autocast_dtype(device_type: str) -> torch.dtype | None:
    """The dtype of the running autocast region, ``None`` outside of one and on the meta device, which knows none."""
    if device_type == "meta":
        return None
    if hasattr(torch, "get_autocast_dtype"):
        return torch.get_autocast_dtype(device_type) if torch.is_autocast_enabled(device_type) else None
    if device_type == "cpu":  # torch before 2.4 has one pair of functions per device
        return torch.get_autocast_cpu_dtype() if torch.is_autocast_cpu_enabled() else None
    return torch.get_autocast_gpu_dtype() if torch.is_autocast_enabled() else None


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _check_shapes(x: Tensor, weight: Tensor, gate_in: Tensor, gate_out: Tensor, groups: int) -> None:
    if x.dim() != 4 or weight.dim() != 4:
        raise ValueError(
            f"x {tuple(x.shape)} must be (N, C_in, H, W) and weight {tuple(weight.shape)} (C_out, C_in / groups, kh, kw)."
        )
    batch_size, in_channels = x.shape[:2]
    out_channels, per_group, *kernel_size = weight.shape
    if in_channels != per_group * groups or out_channels % groups:
        raise ValueError(
            f"weight {tuple(weight.shape)} with groups ({groups}) takes {per_group * groups} input channels, but x has "
            f"{in_channels}; C_out ({out_channels}) must be a multiple of groups."
        )
    for name, gate, channels in (("gate_in", gate_in, in_channels), ("gate_out", gate_out, out_channels)):
        expected = (batch_size, channels, *kernel_size)
        if tuple(gate.shape) != expected:
            raise ValueError(f"{name} {tuple(gate.shape)} must be {expected}: one logit per sample, channel and kernel tap.")
