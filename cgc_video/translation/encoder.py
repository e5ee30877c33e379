"""The encoder: LightConv, dynamic, context-gated, or the Transformer's.

Source: Wu et al., ICLR 2019, Sec. 5; Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 4.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from .blocks import AddNorm, FeedForward
from .embedding import TokenEmbedding, sinusoids
from .mixers import Mixer, build_mixers
from .special_tokens import PAD

__all__ = ["Encoded", "EncoderLayer", "TranslationEncoder"]


@dataclass
class Encoded:
    """Encoded sentences: ``features`` ``(B, S, C)``, of no meaning where ``valid`` ``(B, S)`` is false."""

    features: Tensor
    valid: Tensor


class EncoderLayer(nn.Module):
    """Mixer, then feed-forward, each with dropout, residual and LayerNorm behind it."""

    def __init__(self, mixer: Mixer, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.mixer = mixer
        self.norm_mixer = AddNorm(width, dropout)
        self.feedforward = FeedForward(width, hidden)
        self.norm_feedforward = AddNorm(width, dropout)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        x = self.norm_mixer(x, self.mixer(x, valid))
        return self.norm_feedforward(x, self.feedforward(x))


class TranslationEncoder(nn.Module):
    """Encodes padded sentences; each as it would be alone, whatever it is batched with and on whichever side it is padded.

    Args:
        vocabulary_size: Entries of the dictionary, special tokens included.
        mixer: ``dict(type="LightweightConv", weight_dropout=0.1)``, or another type of :func:`.mixers.build_mixers`.
        kernel_sizes: One per layer; ``None`` with attention.
        num_layers: Number of layers of attention; ``None`` with convolutions.
        width: ``C``.
        hidden: Width inside the feed-forward blocks.
        heads: ``H``.
        dropout: Behind the embedding and each block.
    """

    def __init__(
        self,
        vocabulary_size: int,
        mixer: dict[str, Any],
        kernel_sizes: Sequence[int] | None = (3, 7, 15, 31, 31, 31, 31),
        num_layers: int | None = None,
        width: int = 512,
        hidden: int = 1024,
        heads: int = 4,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.width = width
        self.embed = TokenEmbedding(vocabulary_size, width, dropout)
        mixers = build_mixers(mixer, width, heads, kernel_sizes, num_layers, causal=False)
        self.layers = nn.ModuleList(EncoderLayer(mixer, width, hidden, dropout) for mixer in mixers)

    def forward(self, source: Tensor) -> Encoded:
        """Encode ``(B, S)`` tokens, padded on either side."""
        valid = source.ne(PAD)
        positions = (valid.cumsum(1) - 1).clamp(min=0)
        x = self.embed(source, sinusoids(0, source.shape[1], self.width, source.device)[positions])
        for layer in self.layers:
            x = layer(x, valid)
        return Encoded(x, valid)
