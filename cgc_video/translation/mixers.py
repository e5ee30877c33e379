"""What mixes the positions of a layer: a convolution between two linear layers, or self-attention."""

from collections.abc import Sequence
from typing import Any

from mmaction.registry import MODELS
from torch import Tensor, nn

from ..errors import UserError
from .attention import SelfAttention
from .blocks import linear
from .dynamic_conv import DynamicConv  # noqa: F401  registers the type
from .head_conv import HeadConv
from .lightweight_conv import LightweightConv  # noqa: F401  registers its types

__all__ = ["ConvMixer", "Mixer", "build_mixers"]


class ConvMixer(nn.Module):
    """Linear, zeros at the padding, convolution, linear; no gated linear unit (Wu et al. 2019, Sec. 5, for IWSLT)."""

    def __init__(self, conv: HeadConv) -> None:
        super().__init__()
        self.project_in = linear(conv.width, conv.width)
        self.conv = conv
        self.project_out = linear(conv.width, conv.width)

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """Map ``(B, T, C)`` to the same shape; ``valid`` ``(B, T)`` is false at the padding."""
        x = self.project_in(x)
        if valid is not None:
            x = x.masked_fill(~valid.unsqueeze(2), 0)
        return self.project_out(self.conv(x, valid))

    def start(self, sentences: int, beams: int, like: Tensor) -> Tensor:
        """The state before the first token, see :meth:`HeadConv.start`."""
        return self.conv.start(sentences, beams, like)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One token of each hypothesis, see :meth:`HeadConv.step`."""
        y, state = self.conv.step(self.project_in(x), state)
        return self.project_out(y), state


Mixer = ConvMixer | SelfAttention


def build_mixers(
    mixer: dict[str, Any],
    width: int,
    heads: int,
    kernel_sizes: Sequence[int] | None,
    num_layers: int | None,
    causal: bool,
) -> list[Mixer]:
    """One mixer per layer.

    Args:
        mixer: ``type`` and options: ``LightweightConv``, ``CGCLightweightConv``, ``DynamicConv`` or ``SelfAttention``.
        kernel_sizes: One per layer, for a convolution.
        num_layers: Number of layers, for attention.

    Raises:
        UserError: If both or neither of the last two are given, or there is no layer, or the mixer has no type.
    """
    if "type" not in mixer:
        raise UserError(f"mixer ({mixer}) lacks 'type'; name LightweightConv, or another type of mixer.")
    if (kernel_sizes is None) == (num_layers is None):
        raise UserError(
            f"kernel_sizes ({kernel_sizes}) and num_layers ({num_layers}): give kernel sizes to a convolution, the number "
            "of layers to attention, and None as the other."
        )
    sizes = list(kernel_sizes) if num_layers is None else [None] * num_layers
    if not sizes:
        raise UserError("kernel_sizes or num_layers must give at least one layer; add one.")
    args = {"width": width, "heads": heads, "causal": causal}
    mixers = [MODELS.build({**mixer, **args, "kernel_size": size}) for size in sizes]
    return [mixer if isinstance(mixer, SelfAttention) else ConvMixer(mixer) for mixer in mixers]
