"""The decoder: all tokens of a known sentence at once, or one token of each hypothesis at a time.

Source: Wu et al., ICLR 2019, Sec. 5; Vaswani et al., 2017, Sec. 3.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import Attention
from .blocks import AddNorm, FeedForward
from .embedding import TokenEmbedding, sinusoids
from .encoder import Encoded
from .mixers import Mixer, build_mixers

__all__ = ["DecoderLayer", "DecoderState", "TranslationDecoder"]

Memory = tuple[Tensor, Tensor, Tensor]  # keys and values of the encoded sentence (B, H, S, C/H), mask (B, 1, 1, S)


@dataclass
class DecoderState:
    """What decoding remembers of ``B`` sentences with ``K`` hypotheses each.

    Attributes:
        memory: Of each layer; the hypotheses of a sentence share it.
        mixers: State of each layer's mixer ``(B, K, ...)``.
        position: Tokens so far.
    """

    memory: list[Memory]
    mixers: list[Tensor]
    position: int = 0

    def reorder(self, parents: Tensor) -> "DecoderState":
        """Hypothesis ``k`` of sentence ``b`` goes on from ``parents[b, k]``."""
        sentences, beams = parents.shape
        rows = torch.arange(sentences, device=parents.device).unsqueeze(1) * beams + parents
        mixers = [mixer.flatten(0, 1)[rows] for mixer in self.mixers]
        return DecoderState(self.memory, mixers, self.position)

    def select(self, sentences: Tensor) -> "DecoderState":
        """Keep these sentences alone."""
        memory = [tuple(part[sentences] for part in layer) for layer in self.memory]
        return DecoderState(memory, [mixer[sentences] for mixer in self.mixers], self.position)


class DecoderLayer(nn.Module):
    """Causal mixer, attention to the encoded sentence, feed-forward, each with dropout, residual and LayerNorm behind it."""

    mixer: Mixer

    def __init__(
        self, mixer: Mixer, width: int, hidden: int, heads: int, dropout: float, attention_dropout: float
    ) -> None:
        super().__init__()
        self.mixer = mixer
        self.norm_mixer = AddNorm(width, dropout)
        self.attention = Attention(width, heads, attention_dropout)
        self.norm_attention = AddNorm(width, dropout)
        self.feedforward = FeedForward(width, hidden)
        self.norm_feedforward = AddNorm(width, dropout)

    def remember(self, encoded: Encoded) -> Memory:
        """What the layer attends to."""
        return *self.attention.project(encoded.features), encoded.valid[:, None, None]

    def forward(self, x: Tensor, memory: Memory) -> Tensor:
        """Map the positions ``(B, T, C)`` of known sentences."""
        return self._attend(self.norm_mixer(x, self.mixer(x)), memory)

    def step(self, x: Tensor, memory: Memory, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map one token of each hypothesis ``(B, K, C)``; also the mixer's next state."""
        y, state = self.mixer.step(x, state)
        return self._attend(self.norm_mixer(x, y), memory), state

    def _attend(self, x: Tensor, memory: Memory) -> Tensor:
        x = self.norm_attention(x, self.attention(x, *memory))
        return self.norm_feedforward(x, self.feedforward(x))


class TranslationDecoder(nn.Module):
    """Scores the next token, given the tokens before it and the encoded sentence.

    Args:
        tie_embeddings: One matrix embeds tokens and scores them (the Transformer of Table 6).
        attention_dropout: On the weights of the attention to the encoded sentence.
        Others as in :class:`.encoder.TranslationEncoder`.
    """

    layers: Iterable[DecoderLayer]

    def __init__(
        self,
        vocabulary_size: int,
        mixer: dict[str, Any],
        kernel_sizes: Sequence[int] | None = (3, 7, 15, 31, 31, 31),
        num_layers: int | None = None,
        width: int = 512,
        hidden: int = 1024,
        heads: int = 4,
        dropout: float = 0.3,
        attention_dropout: float = 0.1,
        tie_embeddings: bool = False,
    ) -> None:
        super().__init__()
        self.width = width
        self.embed = TokenEmbedding(vocabulary_size, width, dropout)
        mixers = build_mixers(mixer, width, heads, kernel_sizes, num_layers, causal=True)
        self.layers = nn.ModuleList(
            DecoderLayer(mixer, width, hidden, heads, dropout, attention_dropout) for mixer in mixers
        )
        self.output = None
        if not tie_embeddings:
            self.output = nn.Linear(width, vocabulary_size, bias=False)
            nn.init.normal_(self.output.weight, std=width**-0.5)

    def forward(self, target_input: Tensor, encoded: Encoded) -> Tensor:
        """Score the token behind each of ``(B, T)``, padded on the right: logits ``(B, T, vocabulary)``."""
        x = self.embed(target_input, sinusoids(0, target_input.shape[1], self.width, target_input.device))
        for layer in self.layers:
            x = layer(x, layer.remember(encoded))
        return self._score(x)

    def start(self, encoded: Encoded, beams: int) -> DecoderState:
        """The state before the first token, with ``beams`` hypotheses of each sentence."""
        mixers = [layer.mixer.start(len(encoded.valid), beams, encoded.features) for layer in self.layers]
        return DecoderState([layer.remember(encoded) for layer in self.layers], mixers)

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Score the token behind the last one of each hypothesis.

        Args:
            tokens: ``(B, K)``, the last tokens.
            state: Of the tokens before them.

        Returns:
            Logits ``(B, K, vocabulary)`` and the next state.
        """
        position = state.position
        x = self.embed(tokens, sinusoids(position, position + 1, self.width, tokens.device))
        mixers = []
        for layer, memory, mixer in zip(self.layers, state.memory, state.mixers, strict=True):
            x, mixer = layer.step(x, memory, mixer)
            mixers.append(mixer)
        return self._score(x), DecoderState(state.memory, mixers, position + 1)

    def _score(self, x: Tensor) -> Tensor:
        return F.linear(x, self.embed.weight if self.output is None else self.output.weight)
