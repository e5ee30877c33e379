"""Beam search against all sentences there are, against beam search written one hypothesis at a time, and alone against in a batch."""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from cgc_video.errors import UserError
from cgc_video.translation.beam_search import BeamSearch
from cgc_video.translation.special_tokens import BOS, EOS, PAD

WORDS = 7  # entries of the toy's dictionary: three words and the special tokens


@dataclass
class ToyState:
    """The tokens so far, as the numbers of rows of a table."""

    history: Tensor  # (B, K)
    sentence: Tensor  # (B,)

    def reorder(self, parents: Tensor) -> "ToyState":
        return ToyState(self.history.gather(1, parents), self.sentence)

    def select(self, sentences: Tensor) -> "ToyState":
        return ToyState(self.history[sentences], self.sentence[sentences])


class ToyDecoder:
    """Logits that depend on all tokens so far, drawn once for each history and sentence."""

    def __init__(self, sentences: int, most: int, spread: float = 1.5) -> None:
        self.table = spread * torch.randn(sentences, WORDS ** (most + 1), WORDS, dtype=torch.float64)
        self.calls: list[int] = []

    def start(self, sentences: list[int], beams: int) -> ToyState:
        return ToyState(torch.zeros(len(sentences), beams, dtype=torch.long), torch.tensor(sentences))

    def step(self, tokens: Tensor, state: ToyState) -> tuple[Tensor, ToyState]:
        self.calls.append(len(tokens))
        first = tokens.eq(EOS)  # no other token is given twice
        history = torch.where(first, torch.zeros_like(tokens), state.history * WORDS + tokens)
        return self.table[state.sentence.unsqueeze(1), history], ToyState(history, state.sentence)

    def log_probs(self, sentence: int, words: tuple[int, ...]) -> list[float]:
        history = 0
        for word in words:
            history = history * WORDS + word
        return self.table[sentence, history].float().log_softmax(0).tolist()

    def score(self, sentence: int, words: tuple[int, ...], penalty: float) -> float:
        """Of a finished sentence, the long way."""
        total = sum(self.log_probs(sentence, words[:place])[word] for place, word in enumerate((*words, EOS)))
        return total / (len(words) + 1) ** penalty


ALLOWED = [token for token in range(WORDS) if token not in (BOS, PAD, EOS)]


def all_sentences(least: int, most: int):
    return itertools.chain.from_iterable(itertools.product(ALLOWED, repeat=n) for n in range(least, most + 1))


def search_slowly(decoder: ToyDecoder, sentence: int, search: BeamSearch, limit: int) -> tuple[tuple[int, ...], float]:
    """Beam search on lists, without states or batches."""
    live, done, best = [((), 0.0)], [], -math.inf
    while True:
        candidates = []
        for words, total in live:
            log_probs = decoder.log_probs(sentence, words)
            if len(words) < limit:
                candidates += [((*words, token), total + log_probs[token]) for token in ALLOWED]
            if len(words) >= search.min_length:
                candidates.append(((*words, EOS), total + log_probs[EOS]))
        candidates.sort(key=lambda candidate: -candidate[1])
        ended = [candidate for candidate in candidates[: search.size] if candidate[0][-1] == EOS]
        done += [(words[:-1], total / len(words) ** search.length_penalty) for words, total in ended]
        live = [candidate for candidate in candidates if candidate[0][-1] != EOS][: search.size]
        best = max((score for _, score in done), default=-math.inf)
        if not live:
            break
        promising = live[0][1] / len(live[0][0]) ** search.length_penalty > best and not search.stop_at_size
        if len(done) >= search.size and not promising:
            break
    return next(hypothesis for hypothesis in done if hypothesis[1] == best)


def run(decoder: ToyDecoder, sentences: list[int], search: BeamSearch, limits: list[int]) -> list:
    state = decoder.start(sentences, search.size)
    return search(decoder, state, torch.tensor(limits))


@pytest.mark.parametrize("penalty", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("least", [0, 1, 3])
def test_a_wide_beam_finds_the_best_of_all_sentences(penalty: float, least: int):
    decoder, limits = ToyDecoder(3, most=4), [4, 3, 4]
    wide = BeamSearch(len(ALLOWED) ** 5, penalty, max_length=4, min_length=least)
    for sentence, (found, limit) in enumerate(zip(run(decoder, [0, 1, 2], wide, limits), limits, strict=True)):
        best = max(all_sentences(least, limit), key=lambda words: decoder.score(sentence, words, penalty))
        assert tuple(found.tokens.tolist()) == best
        assert found.score == pytest.approx(decoder.score(sentence, best, penalty), abs=1e-5)


@pytest.mark.parametrize("spread", [0.5, 2.0])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
@pytest.mark.parametrize("size", [1, 2, 3, 6])
@pytest.mark.parametrize("stop_at_size", [False, True])
def test_it_is_beam_search_one_hypothesis_at_a_time(stop_at_size: bool, size: int, penalty: float, spread: float):
    decoder = ToyDecoder(8, most=5, spread=spread)
    search, limits = BeamSearch(size, penalty, max_length=5, stop_at_size=stop_at_size), [5, 4, 3, 2, 5, 5, 1, 5]
    for sentence, found in enumerate(run(decoder, list(range(8)), search, limits)):
        words, score = search_slowly(decoder, sentence, search, limits[sentence])
        assert tuple(found.tokens.tolist()) == words
        assert found.score == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize("size", [1, 4])
def test_a_sentence_does_not_depend_on_the_batch(size: int):
    decoder, search, limits = ToyDecoder(6, most=5), BeamSearch(size, max_length=5), [5, 1, 4, 5, 3, 2]
    together = run(decoder, list(range(6)), search, limits)
    for sentence, found in enumerate(together):
        (alone,) = run(decoder, [sentence], search, [limits[sentence]])
        assert torch.equal(found.tokens, alone.tokens)
        assert found.score == pytest.approx(alone.score, abs=1e-6)


def test_sentences_that_are_done_leave_and_the_search_stops_early():
    decoder = ToyDecoder(2, most=5)
    decoder.table[0, :, EOS] = 20.0  # ends as soon as it may
    decoder.table[1, :, EOS] = -20.0  # never wants to
    found = run(decoder, [0, 1], BeamSearch(1, max_length=5), [5, 5])
    assert [len(hypothesis.tokens) for hypothesis in found] == [1, 5]
    assert decoder.calls == [2, 2, 1, 1, 1, 1]


def test_a_tie_of_lengths_is_decided_by_the_penalty():
    """Two words of probability 1/2 each, or three of 0.6: the sum is better for the short one, the mean for the long one."""
    decoder = ToyDecoder(1, most=4)
    decoder.table[:] = -30.0
    decoder.table[0, 0, 4] = 0.0
    decoder.table[0, 4, [EOS, 5]] = torch.tensor([0.5, 0.5], dtype=torch.float64).log()
    decoder.table[0, 4 * WORDS + 5, EOS] = 0.0
    assert run(decoder, [0], BeamSearch(2, 0.0, 4), [4])[0].tokens.tolist() == [4]
    assert run(decoder, [0], BeamSearch(2, 1.0, 4), [4])[0].tokens.tolist() == [4, 5]


def test_unlikely_ends_do_not_crowd_out_a_sure_hypothesis():
    """Nine in ten for the right word; of what is left, most goes to ending too early."""
    decoder = ToyDecoder(1, most=5)
    decoder.table[:] = -9.0
    history = 0
    for word in (4, 5, 6, 4, 5):
        decoder.table[0, history, word] = 0.0
        decoder.table[0, history, EOS] = -2.5
        history = history * WORDS + word
    decoder.table[0, history, EOS] = 0.0
    sure = BeamSearch(2, max_length=5)
    assert run(decoder, [0], sure, [5])[0].tokens.tolist() == [4, 5, 6, 4, 5]
    sure.stop_at_size = True
    assert run(decoder, [0], sure, [5])[0].tokens.tolist() == [4, 5]


def test_no_sentence_has_no_translation():
    assert run(ToyDecoder(1, most=1), [], BeamSearch(2), []) == []


def test_limits_follow_the_source():
    assert BeamSearch(max_length=7).limits(torch.tensor([3, 10])).tolist() == [7, 7]
    assert BeamSearch(max_length=7, max_length_ratio=1.5).limits(torch.tensor([3, 10])).tolist() == [11, 22]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, r"size \(0\) of the beam must be at least 1"),
        ({"min_length": 5, "max_length": 4}, r"min_length \(5\), max_length \(4\)"),
        ({"max_length_ratio": -1.0}, r"max_length_ratio \(-1.0\) must be at least 0"),
    ],
    ids=str,
)
def test_wrong_options_are_refused(options: dict, message: str):
    with pytest.raises(UserError, match=message):
        BeamSearch(**options)
