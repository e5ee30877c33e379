"""The gated convolutions of a network as cases of their own, with the floors of their cost.

The shapes are found by running the network on the meta device (shapes without values) with an op that writes them down.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgc_video.testing import GatedConvCase

from .formulations import get_formulation, use_op
from .settings import Settings
from .step import Step

__all__ = ["Floors", "LayerCase", "floors", "materialised_bytes", "trace_layers"]


@dataclass(frozen=True)
class LayerCase:
    """One distinct gated convolution of a network.

    Args:
        conv: Its shapes.
        count: How often the network holds it.
        input_grad: Whether the gradient of its input is needed (not that of the frames).
    """

    conv: GatedConvCase
    count: int = 1
    input_grad: bool = True

    @property
    def name(self) -> str:
        return self.conv.name

    @property
    def input(self) -> str:
        return " x ".join(map(str, (self.conv.batch, self.conv.in_channels, *self.conv.size)))

    @property
    def output_shape(self) -> tuple[int, ...]:
        conv = self.conv
        x = torch.empty(conv.batch, conv.in_channels, *conv.size, device="meta")
        weight = torch.empty(conv.out_channels, conv.in_channels // conv.groups, *conv.kernel, device="meta")
        return tuple(F.conv2d(x, weight, None, **conv.conv_args).shape)

    def operands(self, settings: Settings) -> dict[str, Tensor]:
        """Leaf tensors of a call: ``x`` as it flows between layers, kernel and logits in float32."""
        tensors = self.conv.tensors(torch.float32, device=settings.device)
        tensors["x"] = settings.activations(tensors["x"]).requires_grad_(self.input_grad)
        weight = tensors["weight"].detach().contiguous(memory_format=settings.memory_format)
        tensors["weight"] = weight.requires_grad_()
        return tensors

    def output_grad(self, settings: Settings) -> Tensor:
        """A gradient of the output, normal numbers from a fixed seed."""
        generator = torch.Generator().manual_seed(1)
        return settings.activations(torch.randn(self.output_shape, generator=generator))

    def step(self, formulation: str, training: bool, settings: Settings) -> Step:
        tensors, function = self.operands(settings), get_formulation(formulation)
        grad = self.output_grad(settings) if training else None
        leaves = [
            t for name, t in tensors.items() if t.requires_grad and (formulation != "plain" or "gate" not in name)
        ]

        def run() -> None:
            with torch.set_grad_enabled(training), settings.autocast():
                y = function(**tensors, **self.conv.conv_args)
            if training:
                torch.autograd.grad(y, leaves, grad)

        return Step(run)

    def needed_bytes(self, formulation: str, training: bool) -> int:
        return materialised_bytes([self], formulation, training)

    def operations(self, training: bool) -> int:
        return floors(self, training).operations


@dataclass(frozen=True)
class Floors:
    """What a pass of the gated convolution cannot do without.

    Args:
        operations: Multiplications and additions of the convolution and, in training, of its gradients (two per tap,
            taps on the padding included).
        bytes: Every tensor that comes in or goes out, once per pass (forward, backward).
        gate_elements: Kernel elements to be gated, one sigmoid each, once per pass.
    """

    operations: int
    bytes: int
    gate_elements: int


def floors(case: LayerCase, training: bool, activation_bytes: int = 4, parameter_bytes: int = 4) -> Floors:
    """The floors of a call over the whole batch.

    Args:
        training: Forward and backward, else forward alone.
        activation_bytes: Size of an element of ``x``, ``y`` and their gradients.
        parameter_bytes: The same of the kernel, the logits and their gradients.
    """
    conv = case.conv
    out_size = case.output_shape[2] * case.output_shape[3]
    taps = conv.kernel[0] * conv.kernel[1]
    weight = conv.out_channels * (conv.in_channels // conv.groups) * taps
    x = conv.batch * conv.in_channels * conv.size[0] * conv.size[1]
    y = conv.batch * conv.out_channels * out_size
    logits = conv.batch * (conv.in_channels + conv.out_channels) * taps
    operations = 2 * conv.batch * weight * out_size
    moved = activation_bytes * (x + y) + parameter_bytes * (weight + logits)
    if not training:
        return Floors(operations, moved, conv.batch * weight)
    gradients = 2 if case.input_grad else 1  # of the input, of the kernel
    written = activation_bytes * (x if case.input_grad else 0) + parameter_bytes * (weight + logits)
    return Floors(operations * (1 + gradients), 2 * moved + written, 2 * conv.batch * weight)


def materialised_bytes(layers: Sequence[LayerCase], formulation: str, training: bool) -> int:
    """What a formulation holds at least at its peak, in float32 kernels per sample and, for ``unfold``, in columns.

    Training keeps gates, kernels and columns of every layer until backward; else the largest layer decides.
    """
    if formulation not in ("unfold", "grouped"):
        return 0
    sizes = []
    for layer in layers:
        conv = layer.conv
        kernels = floors(layer, training=False).gate_elements
        columns = 0
        if formulation == "unfold":
            _, _, height, width = layer.output_shape
            columns = conv.batch * conv.in_channels * conv.kernel[0] * conv.kernel[1] * height * width
        sizes += [4 * (2 * kernels + columns)] * layer.count
    return sum(sizes) if training else max(sizes, default=0)


def trace_layers(model: nn.Module, frames: Tensor) -> list[LayerCase]:
    """The distinct gated convolutions of a forward pass, in the order in which they come.

    Args:
        model, frames: Both on the meta device.
    """
    found: Counter[tuple[GatedConvCase, bool]] = Counter()

    def record(x: Tensor, weight: Tensor, gate_in: Tensor, gate_out: Tensor, bias=None, **conv_args) -> Tensor:
        case = _conv_case(x, weight, bias is not None, **conv_args)
        found[case, x.requires_grad] += 1
        return F.conv2d(x, weight, bias, **conv_args)

    with use_op(record):
        model(frames)
    return [LayerCase(conv, count, input_grad) for (conv, input_grad), count in found.items()]


def _conv_case(x: Tensor, weight: Tensor, bias: bool, stride, padding, dilation, groups: int) -> GatedConvCase:
    n, in_channels, *size = x.shape
    out_channels, _, *kernel = weight.shape
    parts = [f"c{in_channels}", f"o{out_channels}", "x".join(map(str, kernel))]
    parts += [f"s{max(stride)}"] if max(stride) > 1 else []
    parts += [f"d{max(dilation)}"] if max(dilation) > 1 else []
    parts += [f"g{groups}"] if groups > 1 else []
    return GatedConvCase(
        name="-".join([*parts, "x".join(map(str, size))]),
        batch=n,
        in_channels=in_channels,
        out_channels=out_channels,
        size=tuple(size),
        kernel=tuple(kernel),
        stride=tuple(stride),
        padding=tuple(padding),
        dilation=tuple(dilation),
        groups=groups,
        bias=bias,
    )
