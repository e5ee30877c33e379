"""Embeddings: scale, padding, positions."""

import math

import pytest
import torch

from cgc_video.errors import UserError
from cgc_video.translation.embedding import TokenEmbedding, sinusoids
from cgc_video.translation.special_tokens import PAD


def test_positions_are_those_of_the_formula():
    table = sinusoids(3, 6, 8)
    for row, position in enumerate((3, 4, 5)):
        for i in range(4):
            angle = position / 10_000 ** (2 * i / 8)
            assert table[row, i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[row, 4 + i].item() == pytest.approx(math.cos(angle), abs=1e-6)
    torch.testing.assert_close(sinusoids(0, 6, 8)[3:], table)


def test_tokens_are_scaled_and_padding_is_zero_before_the_position():
    embed = TokenEmbedding(1000, 64, dropout=0.0)
    assert embed.weight[2:].std().item() == pytest.approx(64**-0.5, rel=0.02)
    tokens = torch.tensor([[5, PAD, 7]])
    positions = torch.randn(3, 64)
    embedded = embed(tokens, positions)
    torch.testing.assert_close(embedded[0, 0], 8 * embed.weight[5] + positions[0])
    assert torch.equal(embedded[0, 1], positions[1])
    embedded.sum().backward()
    assert embed.weight.grad[PAD].eq(0).all()


def test_wrong_sizes_are_refused():
    with pytest.raises(UserError, match=r"width \(7\) must be even"):
        TokenEmbedding(10, 7, 0.0)
    with pytest.raises(UserError, match=r"vocabulary_size \(1\) must count the special tokens too"):
        TokenEmbedding(1, 8, 0.0)
