"""Beam search over a batch of sentences, one token of every hypothesis at a time."""

import itertools
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ..errors import UserError
from .special_tokens import BOS, EOS, PAD

__all__ = ["BeamSearch", "Hypothesis"]


@dataclass
class Hypothesis:
    """A translation: ``tokens`` ``(length,)`` without ``</s>``, and its log-probability over ``(length + 1) ** length_penalty``."""

    tokens: Tensor
    score: float


class SearchState(Protocol):
    """What a decoder remembers, see :class:`.decoder.DecoderState`."""

    def reorder(self, parents: Tensor) -> Any: ...

    def select(self, sentences: Tensor) -> Any: ...


class StepDecoder(Protocol):
    """A decoder that takes a token at a time, see :meth:`.decoder.TranslationDecoder.step`."""

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]: ...


@dataclass
class BeamSearch:
    """Keeps the ``size`` best unfinished hypotheses of each sentence, by the sum of their log-probabilities.

    Each step ranks all continuations of a sentence. Those among the best ``size`` that end in ``</s>`` are finished; the best
    ``size`` that do not end go on. A sentence is done, and leaves the batch, once ``size`` hypotheses are finished and none that
    goes on has a better score at its present length. With ``size`` 1 this is greedy decoding.

    Args:
        size: 6 in Sec. 4.4.
        length_penalty: Scores are divided by the length (``</s>`` included) to this power; 0 does not normalise.
        max_length: Most tokens of a translation, ``</s>`` not counted: this number ...
        max_length_ratio: ... plus this many per token of the source (``</s>`` included).
        min_length: Fewest tokens of a translation.
        stop_at_size: A sentence is done with ``size`` finished hypotheses, however much better one is that goes on, as in
            fairseq. A sure model then loses sentences to unlikely ends that fill its beam.

    Raises:
        UserError: If a value is out of its range.
    """

    size: int = 6
    length_penalty: float = 1.0
    max_length: int = 200
    max_length_ratio: float = 0.0
    min_length: int = 1
    stop_at_size: bool = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UserError(f"size ({self.size}) of the beam must be at least 1, which is greedy decoding.")
        if self.max_length_ratio < 0 or not 0 <= self.min_length <= self.max_length:
            raise UserError(
                f"min_length ({self.min_length}), max_length ({self.max_length}) and max_length_ratio "
                f"({self.max_length_ratio}) must be at least 0, and min_length at most max_length."
            )

    def limits(self, source_lengths: Tensor) -> Tensor:
        """Most tokens of the translation of each sentence."""
        return (source_lengths * self.max_length_ratio).long() + self.max_length

    @torch.no_grad()
    def __call__(self, decoder: StepDecoder, state: SearchState, limits: Tensor) -> list[Hypothesis]:
        """Translate.

        Args:
            decoder: Gives the logits of the next tokens.
            state: Of the decoder before the first token, with ``size`` hypotheses of each sentence.
            limits: ``(B,)``, most tokens of each translation.

        Returns:
            The best hypothesis of each sentence.
        """
        sentences, device = len(limits), limits.device
        if not sentences:
            return []
        alive = torch.arange(sentences, device=device)  # numbers of the sentences that are not done
        finished = torch.zeros(sentences, dtype=torch.long, device=device)
        best = torch.full((sentences,), -torch.inf, device=device)
        translations = [Hypothesis(limits.new_empty(0), -torch.inf)] * sentences
        tokens = torch.full((sentences, self.size, 1), EOS, device=device)
        scores = torch.full((sentences, self.size), -torch.inf, device=device)
        scores[:, 0] = 0  # all hypotheses are the same as yet: one goes on
        for length in itertools.count(1):  # of the hypotheses that are finished now, </s> included
            logits, state = decoder.step(tokens[:, :, -1], state)
            log_probs = self._allow(logits.float().log_softmax(-1), length, limits)
            candidates = (scores.unsqueeze(2) + log_probs).flatten(1).topk(2 * self.size)
            parents, added = candidates.indices // logits.shape[2], candidates.indices % logits.shape[2]

            ends = added.eq(EOS)
            ended = candidates.values.masked_fill(~ends, -torch.inf)[:, : self.size]
            finished += ended.isfinite().sum(1)
            score, place = (ended / length**self.length_penalty).max(1)
            for row in (score > best).nonzero().flatten().tolist():
                words = tokens[row, parents[row, place[row]], 1:]
                translations[int(alive[row])] = Hypothesis(words, score[row].item())
            best = torch.maximum(best, score)

            scores, order = candidates.values.masked_fill(ends, -torch.inf).topk(self.size)
            parents, added = parents.gather(1, order), added.gather(1, order)
            tokens = torch.cat([_follow(tokens, parents), added.unsqueeze(2)], dim=2)
            state = state.reorder(parents) if self.size > 1 else state
            promising = scores[:, 0] / length**self.length_penalty > best
            going_on = (finished < self.size) | (promising & (not self.stop_at_size))
            going_on &= limits >= length
            if not going_on.all():
                rows = going_on.nonzero().flatten()
                if not len(rows):
                    return translations
                alive, finished, best, limits = alive[rows], finished[rows], best[rows], limits[rows]
                tokens, scores, state = tokens[rows], scores[rows], state.select(rows)
        raise AssertionError("unreachable")

    def _allow(self, log_probs: Tensor, length: int, limits: Tensor) -> Tensor:
        """Close what must not come next: padding and ``<s>`` never, ``</s>`` too early, all else at the limit."""
        log_probs[..., [BOS, PAD]] = -torch.inf
        if length <= self.min_length:
            log_probs[..., EOS] = -torch.inf
        over = (length > limits).nonzero().flatten()
        ends = log_probs[over, :, EOS]
        log_probs[over] = -torch.inf
        log_probs[over, :, EOS] = ends
        return log_probs


def _follow(tokens: Tensor, parents: Tensor) -> Tensor:
    """Rows ``(B, K, length)`` of the hypotheses that are continued."""
    return tokens.gather(1, parents.unsqueeze(2).expand(-1, -1, tokens.shape[2]))
