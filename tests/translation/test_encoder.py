"""The encoder: a sentence alone, in a batch, padded left or right, is the same."""

import pytest
import torch
from torch import nn

from cgc_video.errors import UserError
from cgc_video.translation.encoder import TranslationEncoder
from cgc_video.translation.sequence_gate import SequenceGate
from cgc_video.translation.special_tokens import EOS, PAD

MIXERS = ["LightweightConv", "CGCLightweightConv", "DynamicConv", "SelfAttention"]


def make(kind: str, **options) -> TranslationEncoder:
    sizes = dict(kernel_sizes=None, num_layers=2) if kind == "SelfAttention" else dict(kernel_sizes=(3, 7))
    sizes = dict(width=16, hidden=32, heads=4, **sizes)
    encoder = TranslationEncoder(30, dict(type=kind), **{**sizes, **options}).eval()
    for module in encoder.modules():
        if isinstance(module, SequenceGate):
            nn.init.normal_(module.decode.weight)
    return encoder


def pad(sentences: list[torch.Tensor], length: int, side: str) -> torch.Tensor:
    rows = []
    for sentence in sentences:
        padding = sentence.new_full((length - len(sentence),), PAD)
        rows.append(torch.cat([sentence, padding] if side == "right" else [padding, sentence]))
    return torch.stack(rows)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", MIXERS)
def test_a_sentence_does_not_depend_on_the_batch(kind: str, side: str):
    encoder = make(kind)
    sentences = [torch.cat([torch.randint(4, 30, (n,)), torch.tensor([EOS])]) for n in (1, 4, 12, 30)]
    encoded = encoder(pad(sentences, 35, side))
    for features, valid, sentence in zip(encoded.features, encoded.valid, sentences, strict=True):
        alone = encoder(sentence.unsqueeze(0)).features[0]
        torch.testing.assert_close(features[valid], alone, rtol=0, atol=2e-6)


@pytest.mark.parametrize("kind", MIXERS)
def test_every_parameter_has_a_gradient(kind: str):
    encoder = make(kind).train()
    encoded = encoder(pad([torch.randint(4, 30, (n,)) for n in (6, 20)], 20, "left"))
    encoded.features[encoded.valid].square().mul(torch.rand(26, 16)).sum().backward()
    assert [name for name, parameter in encoder.named_parameters() if parameter.grad is None] == []


def test_the_order_of_tokens_matters_beyond_the_kernels():
    encoder = make("SelfAttention")
    tokens = torch.tensor([[5, 6, 7, 8]])
    assert not torch.allclose(encoder(tokens).features[0, 0], encoder(tokens.flip(1)).features[0, 3], atol=1e-3)


def test_the_gate_alone_tells_what_lies_beyond_the_receptive_field():
    tokens = torch.randint(5, 30, (1, 24))
    others = tokens.clone()
    others[0, -1] = 4
    for kind, tells in (("LightweightConv", False), ("DynamicConv", False), ("CGCLightweightConv", True)):
        encoder = make(kind, kernel_sizes=(3, 3))
        changed = (encoder(tokens).features - encoder(others).features)[0].abs().amax(1) > 1e-6
        assert changed[-3:].all()
        assert bool(changed[:-3].any()) == tells


def test_a_width_that_the_heads_do_not_divide_is_refused():
    with pytest.raises(UserError, match=r"heads \(3\) must divide the width \(16\)"):
        make("LightweightConv", heads=3)
