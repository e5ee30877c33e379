"""The networks of the benchmark: one function in every formulation, and gates in the range of trained ones."""

import pytest
import torch

from cgc_video.benchmark.formulations import get_formulation, use_op
from cgc_video.benchmark.networks import NETWORKS, NetworkCase
from cgc_video.benchmark.settings import Settings
from cgc_video.errors import UserError
from cgc_video.ops import gated_conv2d

SMALL = NetworkCase("small", "TSMResNet", 18, "CGC3d", clips=1, frames=8, size=32)


@pytest.fixture(scope="module")
def network():
    return SMALL.build(gated=True).eval()


def test_the_table():
    by_name = {case.name: case for case in NETWORKS}
    assert len(by_name) == len(NETWORKS)
    assert by_name["r50-cgc2d"].input == "8 x 3 x 224 x 224"
    assert by_name["tsm-r50-cgc3d"].input == "8 x 3 x 224 x 224"
    assert by_name["tsm-r18-cgc3d-64"].input == "256 x 3 x 64 x 64"
    assert by_name["tsm-r50-cgc3d-16clips"].input == "128 x 3 x 224 x 224"
    assert [case.default_on for case in NETWORKS] == ["cpu", "cpu", "cpu", "cuda"]


def test_formulations_compute_the_same(network):
    frames = torch.randn(8, 3, 32, 32)
    scores = {}
    for name in ("unfold", "grouped", "ours", "eager"):
        with torch.inference_mode(), use_op(get_formulation(name)):
            scores[name] = network(frames)
    for name in scores:
        torch.testing.assert_close(scores[name], scores["ours"], rtol=1e-4, atol=1e-4)


def test_logits_are_those_of_a_trained_network(network):
    """Fresh running statistics would give logits in the hundreds; beyond 40 the CPU kernel leaves the call to another."""
    largest, spread = [], []

    def record(x, weight, gate_in, gate_out, bias=None, **conv_args):
        largest.append(max(gate_in.abs().max().item(), gate_out.abs().max().item()))
        spread.append(min(gate_in.std().item(), gate_out.std().item()))
        return gated_conv2d(x, weight, gate_in, gate_out, bias, **conv_args)

    with torch.no_grad(), use_op(record):
        network(torch.randn(8, 3, 32, 32))
    assert len(largest) == 17
    assert max(largest) < 40
    assert min(spread) > 0.02


@pytest.mark.parametrize("formulation", ["plain", "ours"])
def test_a_training_step_gives_every_gradient_and_clear_drops_them(formulation, monkeypatch):
    built = []
    build = NetworkCase.build
    monkeypatch.setattr(NetworkCase, "build", lambda self, gated: built.append(build(self, gated)) or built[-1])
    step = SMALL.step(formulation, training=True, settings=Settings())
    step()
    (network,) = built
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert any("gate" in name for name, _ in network.named_parameters()) == (formulation == "ours")
    step.clear()
    assert all(parameter.grad is None for parameter in network.parameters())


def test_building_leaves_the_random_state_alone():
    before = torch.get_rng_state()
    first, second = SMALL.build(gated=True).state_dict(), SMALL.build(gated=True).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_resizing():
    assert SMALL.resized(64, 3).input == "24 x 3 x 64 x 64"
    assert SMALL.resized(None, None) == SMALL
    with pytest.raises(UserError, match=r"--size \(16\) must be at least 32"):
        SMALL.resized(16, None)
    with pytest.raises(UserError, match=r"--clips \(1\) must be at least 2 for r50-cgc2d"):
        NETWORKS[0].resized(None, 1)
