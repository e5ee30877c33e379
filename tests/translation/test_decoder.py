"""The decoder: blind to the future, the same step by step, and a state that does not grow."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from cgc_video.translation.decoder import TranslationDecoder
from cgc_video.translation.encoder import Encoded
from cgc_video.translation.special_tokens import EOS, PAD

MIXERS = ["LightweightConv", "DynamicConv", "SelfAttention"]


def make(kind: str, **options) -> TranslationDecoder:
    sizes = dict(kernel_sizes=None, num_layers=2) if kind == "SelfAttention" else dict(kernel_sizes=(3, 4))
    return TranslationDecoder(30, dict(type=kind), width=16, hidden=32, heads=4, **sizes, **options).eval()


def encoded(sentences: int = 3) -> Encoded:
    """Encoded sentences of which one is padded on the left, another on the right."""
    valid = torch.ones(sentences, 6, dtype=torch.bool)
    valid[0, :2] = valid[1, 3:] = False
    return Encoded(torch.randn(sentences, 6, 16), valid)


def tokens(*shape: int) -> torch.Tensor:
    drawn = torch.randint(4, 30, shape)
    drawn[..., 0] = EOS
    return drawn


@pytest.mark.parametrize("kind", MIXERS)
def test_a_token_does_not_see_those_behind_it(kind: str):
    decoder, memory = make(kind), encoded()
    known = tokens(3, 9)
    logits = decoder(known, memory)
    for t in range(8):
        other = known.clone()
        other[:, t + 1 :] = tokens(3, 9)[:, t + 1 :]
        other[0, t + 1 :] = PAD
        changed = decoder(other, memory)
        torch.testing.assert_close(changed[:, : t + 1], logits[:, : t + 1], rtol=0, atol=1e-6)
        assert not torch.allclose(changed[1:, t + 1], logits[1:, t + 1], atol=1e-3)


@pytest.mark.parametrize("kind", MIXERS)
def test_padding_of_the_source_does_not_count(kind: str):
    decoder, memory, known = make(kind), encoded(), tokens(3, 5)
    logits = decoder(known, memory)
    alone = Encoded(memory.features[:1, 2:], memory.valid[:1, 2:])
    torch.testing.assert_close(decoder(known[:1], alone), logits[:1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", MIXERS)
def test_step_by_step_it_is_the_same(kind: str, tied: bool):
    decoder, memory = make(kind, tie_embeddings=tied), encoded()
    known = tokens(3, 2, 12)  # two hypotheses of each sentence
    twice = Encoded(memory.features.repeat_interleave(2, 0), memory.valid.repeat_interleave(2, 0))
    expected = decoder(known.flatten(0, 1), twice).view(3, 2, 12, 30)
    state = decoder.start(memory, beams=2)
    for t in range(12):
        logits, state = decoder.step(known[:, :, t], state)
        torch.testing.assert_close(logits, expected[:, :, t], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", MIXERS)
def test_hypotheses_change_places_and_sentences_leave(kind: str):
    decoder, memory = make(kind), encoded()
    known = tokens(3, 2, 6)
    state = decoder.start(memory, beams=2)
    for t in range(5):
        _, state = decoder.step(known[:, :, t], state)
    parents, kept = torch.tensor([[1, 1], [0, 1], [1, 0]]), torch.tensor([2, 0])
    moved = state.reorder(parents).select(kept)
    logits, _ = decoder.step(known[kept, :, 5], moved)
    for row, sentence in enumerate(kept.tolist()):
        for beam in range(2):
            tail = torch.cat([known[sentence, parents[sentence, beam], :5], known[sentence, beam, 5:]])
            alone = Encoded(memory.features[[sentence]], memory.valid[[sentence]])
            expected = decoder(tail.unsqueeze(0), alone)[0, -1]
            torch.testing.assert_close(logits[row, beam], expected, rtol=0, atol=1e-5)


def test_a_token_costs_the_same_however_many_went_before():
    decoder = make("LightweightConv")
    state, costs, sizes = decoder.start(encoded(), beams=2), [], []
    for _ in range(40):
        with FlopCounterMode(display=False) as counter:
            _, state = decoder.step(tokens(3, 2, 2)[:, :, 1], state.reorder(torch.ones(3, 2, dtype=torch.long)))
        costs.append(counter.get_total_flops())
        sizes.append(sum(mixer.numel() for mixer in state.mixers))
    assert costs[0] > 0
    assert len(set(costs)) == len(set(sizes)) == 1


@pytest.mark.parametrize("kind", MIXERS)
def test_every_parameter_has_a_gradient(kind: str):
    decoder = make(kind).train()
    decoder(tokens(3, 9), encoded()).square().sum().backward()
    assert [name for name, parameter in decoder.named_parameters() if parameter.grad is None] == []


def test_tied_embeddings_are_one_matrix():
    apart, tied = make("SelfAttention"), make("SelfAttention", tie_embeddings=True)
    sizes = [sum(parameter.numel() for parameter in decoder.parameters()) for decoder in (apart, tied)]
    assert sizes[0] - sizes[1] == 30 * 16
