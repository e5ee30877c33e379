"""The gate of a sentence: its bins, its independence of the batch, its start, and that it learns."""

import math

import pytest
import torch
from torch import nn

from cgc_video.errors import UserError
from cgc_video.translation.sequence_gate import SequenceGate, pool_sentences


def pool_slowly(sentence: torch.Tensor, bins: int) -> torch.Tensor:
    """The definition, one sentence ``(length, H)`` and one bin at a time."""
    size = max(len(sentence), bins)
    padded = torch.cat([sentence, sentence.new_zeros(size - len(sentence), sentence.shape[1])])
    rows = [padded[i * size // bins : math.ceil((i + 1) * size / bins)].mean(0) for i in range(bins)]
    return torch.stack(rows)


def batch_of(sentences: list[torch.Tensor], side: str, extra: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Sentences of different lengths as a batch, padded by junk on one side, and which positions are theirs."""
    length = max(map(len, sentences)) + extra
    x = 100 * torch.randn(len(sentences), length, sentences[0].shape[1])
    valid = torch.zeros(len(sentences), length, dtype=torch.bool)
    for row, sentence in enumerate(sentences):
        place = slice(0, len(sentence)) if side == "right" else slice(length - len(sentence), None)
        x[row, place], valid[row, place] = sentence, True
    return x, valid


def sentences_of(*lengths: int, width: int = 4) -> list[torch.Tensor]:
    return [torch.randn(length, width) for length in lengths]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("bins", [1, 3, 9, 21, 93])
def test_bins_are_those_of_the_definition(bins: int, side: str):
    sentences = sentences_of(1, 2, 8, 9, 10, 17, 21, 40, 93, 100)
    pooled = pool_sentences(*batch_of(sentences, side, extra=3), bins)
    for row, sentence in zip(pooled, sentences, strict=True):
        torch.testing.assert_close(row, pool_slowly(sentence, bins), rtol=0, atol=1e-6)


def test_without_padding_it_is_adaptive_average_pooling():
    x = torch.randn(3, 25, 4)
    expected = nn.functional.adaptive_avg_pool1d(x.transpose(1, 2), 9).transpose(1, 2)
    torch.testing.assert_close(pool_sentences(x, None, 9), expected)


def test_a_short_sentence_is_padded_with_zeros():
    (sentence,) = sentences_of(4)
    pooled = pool_sentences(sentence.unsqueeze(0), None, 9)[0]
    torch.testing.assert_close(pooled[:4], sentence)
    assert pooled[4:].eq(0).all()


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_gate_does_not_depend_on_the_batch(side: str):
    gate = learned(SequenceGate(2, 5))
    sentences = sentences_of(3, 9, 15, 16, 40)
    together = gate(*batch_of(sentences, side, extra=5))
    alone = torch.cat([gate(sentence.unsqueeze(0)) for sentence in sentences])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)
    x, valid = batch_of(sentences, side, extra=5)
    careless = gate(x.masked_fill(~valid.unsqueeze(2), 0), None)  # over the padded batch
    assert (careless - alone).abs().max() > 0.1


def learned(gate: SequenceGate) -> SequenceGate:
    """A gate that differs from its start."""
    nn.init.normal_(gate.decode.weight)
    return gate


@pytest.mark.parametrize(
    "options", [{}, {"latent_dim": "k//2", "norm_heads": False}, {"before_softmax": True}], ids=str
)
def test_it_starts_as_a_constant_and_every_weight_learns(options: dict):
    gate, moved = train(options, steps=3)
    assert moved == {"encode.weight", "norm.weight", "norm.bias", "decode.weight"}
    assert gate(torch.randn(4, 20, 8).double()).std() > 1e-4


def test_zeroing_the_norm_instead_has_no_gradient_for_ever():
    def zero_the_norm(gate: SequenceGate) -> None:
        nn.init.normal_(gate.decode.weight)
        nn.init.zeros_(gate.norm.weight)

    gate, moved = train({}, steps=5, prepare=zero_the_norm)
    assert moved == set()
    assert all(parameter.grad.eq(0).all() for parameter in gate.parameters())


def train(options: dict, steps: int, prepare=lambda gate: None) -> tuple[SequenceGate, set[str]]:
    """Train a gated convolution in float64, where no step is rounded away; the gate, and which of its weights moved."""
    from cgc_video.translation.lightweight_conv import CGCLightweightConv

    layer = CGCLightweightConv(8, 2, 7, **options).double()
    assert layer.gate(torch.randn(3, 20, 8).double()).eq(0.5).all()
    prepare(layer.gate)
    before = {name: value.clone() for name, value in layer.gate.named_parameters()}
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
    x, target = torch.randn(6, 30, 8).double(), torch.randn(6, 30, 8).double()
    for _ in range(steps):
        optimizer.zero_grad()
        (layer(x) - target).square().mean().backward()
        optimizer.step()
    return layer.gate, {name for name, value in layer.gate.named_parameters() if not torch.equal(value, before[name])}


def test_a_norm_over_one_latent_dim_makes_it_constant():
    gate = learned(SequenceGate(2, 3, latent_dim=1, norm_heads=False))
    assert gate(torch.randn(5, 20, 4)).std(0).max() == 0
    assert learned(SequenceGate(2, 3, latent_dim=1))(torch.randn(5, 20, 4)).std(0).max() > 0


@pytest.mark.parametrize(("latent_dim", "size"), [("k//2 + 1", 4), ("k//2", 3), (11, 11)])
def test_latent_sizes(latent_dim: int | str, size: int):
    gate = SequenceGate(2, 7, latent_dim)
    assert gate.encode.weight.shape == (size, 21)
    assert gate.norm.weight.shape == (2, size)
    assert gate.decode.weight.shape == (7, size)


def test_under_autocast_it_is_float32():
    gate = learned(SequenceGate(2, 5))
    x = torch.randn(3, 20, 8).bfloat16()
    exact = gate(x.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(gate(x), exact)


@pytest.mark.parametrize(
    ("kernel_size", "latent_dim"), [(7, 0), (7, "k"), (1, "k//2")], ids=["zero", "unknown", "zero by its rule"]
)
def test_wrong_sizes_are_refused(kernel_size: int, latent_dim: int | str):
    with pytest.raises(
        UserError, match=rf"latent_dim \({latent_dim}\) must be at least 1 at kernel size {kernel_size};"
    ):
        SequenceGate(2, kernel_size, latent_dim)
