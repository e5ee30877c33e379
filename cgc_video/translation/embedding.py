"""Token embeddings with sinusoidal positions.

Source: Vaswani et al., Attention Is All You Need, 2017, Sec. 3.4 and 3.5.
"""

import math

import torch
from torch import Tensor, nn

from ..errors import UserError
from .special_tokens import PAD

__all__ = ["TokenEmbedding", "sinusoids"]


def sinusoids(start: int, stop: int, width: int, device: torch.device | None = None) -> Tensor:
    """Encode the positions ``start`` to ``stop`` (not included): ``(stop - start, width)``, sines, then cosines."""
    rates = torch.exp(torch.arange(0, width, 2, device=device) * (-math.log(10_000.0) / width))
    angles = torch.arange(start, stop, device=device).unsqueeze(1) * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class TokenEmbedding(nn.Embedding):
    """Embeddings times ``sqrt(width)``, plus the position, then dropout. Padding embeds as zeros.

    Args:
        vocabulary_size: Entries of the dictionary, special tokens included.
        width: ``C``, even.

    Raises:
        UserError: If a size is out of its range.
    """

    def __init__(self, vocabulary_size: int, width: int, dropout: float) -> None:
        if vocabulary_size <= PAD:
            raise UserError(
                f"vocabulary_size ({vocabulary_size}) must count the special tokens too; give the dictionary's size."
            )
        if width % 2:
            raise UserError(f"width ({width}) must be even, for a sine and a cosine each; choose another.")
        super().__init__(vocabulary_size, width, padding_idx=PAD)
        self.dropout = nn.Dropout(dropout)

    def reset_parameters(self) -> None:
        """Normal with variance ``1 / width``: of variance 1 once multiplied."""
        nn.init.normal_(self.weight, std=self.embedding_dim**-0.5)
        self._fill_padding_idx_with_zero()

    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:  # type: ignore[override]
        """Embed.

        Args:
            tokens: ``(B, T)``.
            positions: Their encodings ``(B, T, C)``, or ``(1 or T, C)`` for all sentences alike.

        Returns:
            ``(B, T, C)``.
        """
        embedded = super().forward(tokens) * math.sqrt(self.embedding_dim)
        return self.dropout(embedded + positions.to(embedded.dtype))
