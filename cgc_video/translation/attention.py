"""Multi-head attention: of a sentence to itself, and of a decoder to the encoded sentence.

Source: Vaswani et al., Attention Is All You Need, 2017, Sec. 3.2.
"""

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..errors import UserError
from .blocks import linear, require_heads

__all__ = ["Attention", "SelfAttention"]


class Attention(nn.Module):
    """Scaled dot-product attention of several heads, with biases.

    Keys and values are projected apart from the queries, so that a decoder projects them once for all its tokens.

    Args:
        width: ``C``.
        heads: ``H``.
        dropout: On the attention weights, in training.

    Raises:
        UserError: If the heads do not divide the width.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        require_heads(width, heads)
        self.heads, self.dropout = heads, dropout
        self.query, self.key, self.value = (linear(width, width) for _ in range(3))
        self.output = linear(width, width)
        for layer in (self.query, self.key, self.value):  # of the spread that one matrix for all three would have
            nn.init.xavier_uniform_(layer.weight, gain=2**-0.5)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values ``(B, H, T, C/H)`` of ``(B, T, C)``."""
        return self._split(self.key(x)), self._split(self.value(x))

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """Attend from each position of ``x`` ``(B, T, C)``.

        Args:
            mask: Bool, true where attention may go, ``(B, 1, 1, S)`` or of a shape that broadcasts with it.
            causal: Attend to the same position and those before it.
        """
        attended = F.scaled_dot_product_attention(
            self._split(self.query(x)),
            keys,
            values,
            attn_mask=mask,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=causal,
        )
        return self.output(attended.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


@MODELS.register_module()
class SelfAttention(Attention):
    """Self-attention in the place of a convolution, for the Transformer.

    Args:
        kernel_size: Must be ``None``: attention has none.
        causal: Attend to the same position and those before it, as a decoder must.
        Others as in :class:`Attention`.
    """

    def __init__(
        self, width: int, heads: int, kernel_size: int | None = None, causal: bool = False, dropout: float = 0.0
    ) -> None:
        if kernel_size is not None:
            raise UserError("kernel_sizes must be None with mixer (SelfAttention); set num_layers instead.")
        super().__init__(width, heads, dropout)
        self.causal = causal

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """Attend from each position of ``(B, T, C)`` to the valid ones; padding of a causal layer lies on the right."""
        mask = None if valid is None or self.causal else valid[:, None, None]
        return super().forward(x, *self.project(x), mask, self.causal)

    def start(self, sentences: int, beams: int, like: Tensor) -> Tensor:
        """The state before the first token: inputs so far, none: ``(B, K, 0, 2C)``, keys and values side by side."""
        return like.new_zeros(sentences, beams, 0, 2 * self.query.in_features)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One token of each of ``K`` hypotheses per sentence: ``(B, K, C)`` and the next state."""
        state = torch.cat([state, torch.cat([self.key(x), self.value(x)], dim=2).unsqueeze(2)], dim=2)
        keys, values = (self._split(part) for part in state.flatten(0, 1).chunk(2, dim=2))
        attended = super().forward(x.flatten(0, 1).unsqueeze(1), keys, values)
        return attended.view_as(x), state
