"""Lightweight convolution, plain and context-gated.

Source: Wu et al., ICLR 2019, Sec. 3; the gate: Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 4.4.
"""

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..errors import UserError
from .head_conv import HeadConv
from .sequence_gate import SequenceGate

__all__ = ["CGCLightweightConv", "LightweightConv"]


@MODELS.register_module()
class LightweightConv(HeadConv):
    """Kernels that are learned, one per head, normalised by a softmax over their taps. No bias. Arguments: :class:`HeadConv`."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.weight = nn.Parameter(torch.empty(self.heads, self.kernel_size))
        nn.init.xavier_uniform_(self.weight)

    def kernels(self, x: Tensor, valid: Tensor | None) -> Tensor:
        return self.weight.softmax(-1)[None, None]  # (1, 1, H, k)


@MODELS.register_module()
class CGCLightweightConv(LightweightConv):
    """Lightweight convolution whose kernels are gated by the context of the sentence: ``softmax(W) * G``.

    Behind the softmax a gate of 0 closes a tap, whatever the others do.

    Args:
        before_softmax: Gate the weights instead: ``softmax(W * G)``.
        latent_dim, norm_heads: See :class:`SequenceGate`.
        Others as in :class:`HeadConv`.

    Raises:
        UserError: If it is causal: a decoder's sentence is not known before it is decoded (Sec. 4.4).
    """

    def __init__(
        self,
        *args,
        before_softmax: bool = False,
        latent_dim: int | str = "k//2 + 1",
        norm_heads: bool = True,
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        if self.causal:
            raise UserError(
                "mixer (CGCLightweightConv) needs the whole sentence, which a decoder does not have; use it in the encoder."
            )
        self.before_softmax = before_softmax
        self.gate = SequenceGate(self.heads, self.kernel_size, latent_dim, norm_heads)

    def kernels(self, x: Tensor, valid: Tensor | None) -> Tensor:
        gate = self.gate(x, valid)  # (B, H, k)
        gated = (self.weight * gate).softmax(-1) if self.before_softmax else self.weight.softmax(-1) * gate
        return gated.unsqueeze(1)
