"""The gate: shapes, start, learning, and the trap of A.2."""

import pytest
import torch
from torch import nn

from cgc_video.layers import CGC2d, ChannelInteraction, ContextGate


def make(**options) -> ContextGate:
    return ContextGate(16, 32, context_size=9, gate_shape=(3, 3), latent_dim=5, **options)


def test_logits_have_the_shape_of_the_decomposed_kernel():
    gate_in, gate_out = make()(torch.randn(4, 16, 9))
    assert gate_in.shape == (4, 16, 3, 3)
    assert gate_out.shape == (4, 32, 3, 3)


@pytest.mark.parametrize("gate", ["both", "in", "out", "product"])
def test_a_gate_starts_as_the_constant_one_half(gate: str):
    layer = CGC2d(16, 32, 3, padding=1, bias=False, gate=gate)
    x = torch.randn(4, 16, 6, 6)
    plain = nn.functional.conv2d(x, layer.weight, padding=1)
    torch.testing.assert_close(layer(x), 0.5 * plain)


def train_gate(layer: CGC2d, steps: int) -> list[str]:
    """Parameters of the gate that have moved after some steps of SGD, in float64, where no step is rounded away."""
    layer.double()
    before = {name: value.clone() for name, value in layer.gate.named_parameters()}
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    x, target = torch.randn(8, 16, 6, 6).double(), torch.randn(8, 32, 6, 6).double()
    for _ in range(steps):
        optimizer.zero_grad()
        (layer(x) - target).square().mean().backward()
        optimizer.step()
    return [name for name, value in layer.gate.named_parameters() if not torch.equal(value, before[name])]


@pytest.mark.parametrize(
    "options",
    [{}, {"shared_norm": True}, {"shared_decoder": True}, {"two_encoders": True}, {"gate": "product"}],
    ids=str,
)
def test_every_weight_of_the_gate_moves_within_two_steps(options: dict):
    layer = CGC2d(16, 32, 3, padding=1, **options)
    assert sorted(train_gate(layer, steps=2)) == sorted(name for name, _ in layer.gate.named_parameters())


def test_zeroing_the_last_norms_as_the_paper_says_would_never_start():
    layer = CGC2d(16, 32, 3, padding=1)
    for decoder in (layer.gate.decode_in, layer.gate.decode_out):
        nn.init.kaiming_normal_(decoder.weight)
    for norm in (layer.gate.norm_in, layer.gate.norm_out):
        nn.init.zeros_(norm.weight)
    assert train_gate(layer, steps=5) == []


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 45 + 45 + 45 + 16 * 32 + 2 * (16 + 16 + 32)),
        ({"gate": "in"}, 45 + 45 + 2 * 16),
        ({"gate": "out"}, 45 + 45 + 16 * 32 + 2 * (16 + 32)),
        ({"shared_norm": True}, 3 * 45 + 16 * 32 + 2 * (16 + 32)),
        ({"shared_decoder": True}, 2 * 45 + 16 * 32 + 2 * (16 + 16 + 32)),
        ({"two_encoders": True}, 4 * 45 + 16 * 32 + 2 * (16 + 16 + 32)),
    ],
    ids=str,
)
def test_options_have_the_parameters_of_their_equations(options: dict, parameters: int):
    assert sum(p.numel() for p in make(**options).parameters()) == parameters


@pytest.mark.parametrize(
    ("channels", "groups"), [((64, 64), 4), ((3, 64), 1), ((24, 24), 1), ((64, 10), 2), ((8, 8), 1), ((48, 96), 3)]
)
def test_groups_hold_sixteen_channels_where_that_divides(channels: tuple[int, int], groups: int):
    assert ChannelInteraction(*channels).groups == groups


def test_interaction_is_one_weight_for_all_groups_and_latent_dims():
    layer = ChannelInteraction(4, 6, groups=2)
    latent = torch.randn(1, 4, 5)
    expected = torch.cat([layer.weight @ latent[0, :2], layer.weight @ latent[0, 2:]]).unsqueeze(0)
    torch.testing.assert_close(layer(latent), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gate": "sum"}, r"gate \('sum'\) must be"),
        ({"latent_dim": 0}, r"latent_dim \(0\) must be at least 1"),
        ({"channel_groups": 5}, r"channel_groups \(5\) must divide the input channels \(16\)"),
        ({"gate": "in", "shared_norm": True}, r"gate \('in'\) has one branch"),
        ({"gate": "product", "shared_decoder": True}, "starts at a point without gradient"),
        ({"pool": "median"}, r"pool \('median'\) must be 'avg' or 'max'"),
        ({"context_scale": 0}, r"context_scale \(0\) must be at least 1"),
    ],
    ids=str,
)
def test_wrong_options_are_named(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        CGC2d(16, 32, 3, **options)
