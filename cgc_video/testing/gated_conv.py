"""Cases of the gated convolution, and the measure that every backend is held to.

A backend may err twice as much as eager PyTorch does at the same dtype, plus a floor: ``rms(actual - exact) / rms(exact)`` against
the reference in float64, for the output and every gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["CASES", "FLOOR", "GatedConvCase", "assert_close", "rms_error", "run_with_grads"]

# Relative rms errors of one rounding of every element of the result, measured on normal numbers: 3.2e-8, 2.1e-4, 1.7e-3; times 2.
FLOOR = {torch.float64: 1e-14, torch.float32: 7e-8, torch.float16: 5e-4, torch.bfloat16: 4e-3}


@dataclass(frozen=True)
class GatedConvCase:
    """Shapes and arguments of one call; the tensors follow from ``seed``."""

    name: str
    batch: int = 3
    in_channels: int = 8
    out_channels: int = 8
    size: tuple[int, int] = (6, 6)
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    bias: bool = False
    contiguous: bool = True
    logit_scale: float = 1.0
    seed: int = 0

    @property
    def conv_args(self) -> dict:
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": self.groups}

    def tensors(self, dtype: torch.dtype, compute: torch.dtype | None = None, device: str = "cpu") -> dict[str, Tensor]:
        """Leaf tensors of a call, rounded to ``dtype`` and then held in ``compute`` (default: ``dtype``)."""
        generator = torch.Generator().manual_seed(self.seed)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        per_group = self.in_channels // self.groups
        values = {
            "x": normal(self.batch, self.in_channels, *self.size),
            "weight": normal(self.out_channels, per_group, *self.kernel)
            / (per_group * self.kernel[0] * self.kernel[1]) ** 0.5,
            "gate_in": normal(self.batch, self.in_channels, *self.kernel) * self.logit_scale,
            "gate_out": normal(self.batch, self.out_channels, *self.kernel) * self.logit_scale,
        }
        if self.bias:
            values["bias"] = normal(self.out_channels)
        leaves = {name: value.to(dtype).to(compute or dtype).to(device) for name, value in values.items()}
        if not self.contiguous:  # the same values behind other strides
            leaves["x"] = leaves["x"].contiguous(memory_format=torch.channels_last)
            leaves["weight"] = leaves["weight"].transpose(0, 1).contiguous().transpose(0, 1)
            leaves["gate_in"] = leaves["gate_in"].transpose(0, 1).contiguous().transpose(0, 1)
        return {name: leaf.requires_grad_() for name, leaf in leaves.items()}


CASES = [
    GatedConvCase("plain"),
    GatedConvCase("batch-1", batch=1, bias=True),
    GatedConvCase(
        "stem-c3-7x7-s2", in_channels=3, out_channels=16, size=(17, 13), kernel=(7, 7), stride=(2, 2), padding=(3, 3)
    ),
    GatedConvCase("c24-o20-7x5-s2", in_channels=24, out_channels=20, size=(7, 5), stride=(2, 2), bias=True),
    GatedConvCase("c17-o33-1x1", in_channels=17, out_channels=33, size=(5, 4), kernel=(1, 1), padding=(0, 0)),
    GatedConvCase(
        "temporal-5x1-s2", in_channels=16, out_channels=16, size=(9, 12), kernel=(5, 1), stride=(2, 1), padding=(2, 0)
    ),
    GatedConvCase("rectangular-2x5", in_channels=5, out_channels=7, size=(8, 11), kernel=(2, 5), padding=(0, 2)),
    GatedConvCase("dilated", size=(9, 9), dilation=(2, 3), padding=(2, 3), bias=True),
    GatedConvCase("groups-4", in_channels=16, out_channels=8, groups=4, bias=True),
    GatedConvCase("depthwise", in_channels=12, out_channels=24, groups=12),
    GatedConvCase("not-contiguous", in_channels=16, out_channels=24, contiguous=False),
    GatedConvCase("many-small", batch=19, in_channels=48, out_channels=40, size=(2, 3)),
    GatedConvCase("extreme-logits", logit_scale=100.0),
]


def run_with_grads(function: Callable[..., Tensor], tensors: dict[str, Tensor], **conv_args) -> dict[str, Tensor]:
    """Call a gated convolution and return its output ``y`` and the gradient of every tensor under a fixed weighting of ``y``."""
    y = function(
        *(tensors[name] for name in ("x", "weight", "gate_in", "gate_out")), bias=tensors.get("bias"), **conv_args
    )
    generator = torch.Generator().manual_seed(1)
    weighting = torch.randn(y.shape, generator=generator, dtype=torch.float64).to(y.dtype).to(y.device)
    gradients = torch.autograd.grad(y, list(tensors.values()), weighting)
    return {"y": y.detach(), **dict(zip(tensors, gradients, strict=True))}


def rms_error(actual: Tensor, exact: Tensor) -> float:
    """``rms(actual - exact) / rms(exact)``, 0 where both vanish; NaN in ``actual`` gives NaN."""
    difference = (actual.double() - exact.double()).square().mean().sqrt()
    scale = exact.double().square().mean().sqrt()
    return (difference / scale).item() if scale > 0 else difference.item()


def assert_close(name: str, actual: Tensor, exact: Tensor, rms_limit: float) -> None:
    """Fail unless the relative rms error is a number of at most ``rms_limit``."""
    assert actual.shape == exact.shape, f"{name}: shape {tuple(actual.shape)}, expected {tuple(exact.shape)}"
    error = rms_error(actual, exact)
    assert error <= rms_limit, f"{name}: relative rms error {error:.2e} above {rms_limit:.2e}"
