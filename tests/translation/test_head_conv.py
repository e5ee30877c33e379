"""The convolution of heads: against a loop, in the middle of a sentence and at its ends, step by step, and in training."""

import pytest
import torch
from torch import Tensor

from cgc_video.errors import UserError
from cgc_video.translation.dynamic_conv import DynamicConv
from cgc_video.translation.head_conv import convolve_heads
from cgc_video.translation.lightweight_conv import CGCLightweightConv, LightweightConv

TYPES = [LightweightConv, CGCLightweightConv, DynamicConv]


def convolve_slowly(x: Tensor, kernels: Tensor, left: int) -> Tensor:
    """The definition, one product at a time."""
    (batch, length, width), (heads, size) = x.shape, kernels.shape[2:]
    kernels = kernels.expand(batch, length, heads, size)
    y = torch.zeros_like(x)
    for b in range(batch):
        for t in range(length):
            for c in range(width):
                for j in range(size):
                    if 0 <= t - left + j < length:
                        y[b, t, c] += kernels[b, t, c // (width // heads), j] * x[b, t - left + j, c]
    return y


@pytest.mark.parametrize("left", [0, 2, 4])
@pytest.mark.parametrize("length", [1, 3, 5, 9])
@pytest.mark.parametrize("per", ["model", "sentence", "position"])
def test_it_is_the_loop(per: str, length: int, left: int):
    x = torch.randn(2, length, 6).double()
    shape = {"model": (1, 1), "sentence": (2, 1), "position": (2, length)}[per]
    kernels = torch.randn(*shape, 3, 5).double()
    torch.testing.assert_close(convolve_heads(x, kernels, left), convolve_slowly(x, kernels, left))


@pytest.mark.parametrize("per", [(1, 1), (2, 1), (2, 6)], ids=str)
def test_gradients(per: tuple[int, int]):
    x = torch.randn(2, 6, 4).double().requires_grad_()
    kernels = torch.randn(*per, 2, 3).double().requires_grad_()
    torch.autograd.gradcheck(lambda x, kernels: convolve_heads(x, kernels, 1), (x, kernels))


@pytest.mark.parametrize("causal", [False, True])
def test_lightweight_conv_is_the_grouped_convolution(causal: bool):
    conv = LightweightConv(12, 3, 5, causal)
    x = torch.randn(2, 9, 12)
    kernel = conv.weight.softmax(1).repeat_interleave(4, dim=0).unsqueeze(1)  # channel c has head c // (C/H)
    padded = torch.nn.functional.pad(x.transpose(1, 2), (4, 0) if causal else (2, 2))
    expected = torch.nn.functional.conv1d(padded, kernel, groups=12).transpose(1, 2)
    torch.testing.assert_close(conv(x), expected)


def test_dynamic_conv_predicts_its_kernels_from_the_position():
    conv = DynamicConv(12, 3, 5)
    x = torch.randn(2, 9, 12)
    kernels = (x @ conv.predict.weight.T).view(2, 9, 3, 5).softmax(-1)
    torch.testing.assert_close(conv(x), convolve_slowly(x, kernels, 2))


@pytest.mark.parametrize("before_softmax", [False, True])
def test_cgc_gates_the_kernels_of_each_sentence(before_softmax: bool):
    conv = CGCLightweightConv(12, 3, 5, before_softmax=before_softmax)
    torch.nn.init.normal_(conv.gate.decode.weight)
    x = torch.randn(2, 20, 12)
    gate = conv.gate(x)
    kernels = (conv.weight * gate).softmax(-1) if before_softmax else conv.weight.softmax(-1) * gate
    torch.testing.assert_close(conv(x), convolve_slowly(x, kernels.unsqueeze(1), 2))
    assert (gate[0] - gate[1]).abs().max() > 1e-3


def test_a_closed_gate_closes_its_tap_behind_the_softmax_alone():
    conv, x = CGCLightweightConv(4, 2, 3), torch.randn(1, 8, 4)
    conv.gate.forward = lambda x, valid: torch.tensor([1.0, 0.0, 1.0]).expand(1, 2, 3)
    assert conv.kernels(x, None)[..., 1].eq(0).all()
    conv.before_softmax = True
    assert conv.kernels(x, None)[..., 1].gt(0).all()


@pytest.mark.parametrize("kind", [LightweightConv, DynamicConv])
@pytest.mark.parametrize("size", [1, 3, 4])
def test_step_by_step_it_is_the_same(kind: type, size: int):
    conv = kind(8, 2, size, causal=True)
    x = torch.randn(3, 2, 7, 8)  # three sentences of two hypotheses
    expected = conv(x.flatten(0, 1)).view_as(x)
    state = conv.start(3, 2, x)
    for t in range(7):
        y, state = conv.step(x[:, :, t], state)
        torch.testing.assert_close(y, expected[:, :, t], rtol=0, atol=1e-5)
        assert state.shape == (3, 2, size - 1, 8)


@pytest.mark.parametrize("kind", TYPES)
def test_weights_are_dropped_in_training_alone(kind: type):
    conv, x = kind(8, 2, 5, weight_dropout=0.5), torch.randn(2, 9, 8)
    assert not torch.equal(conv(x), conv(x))
    conv.eval()
    assert torch.equal(conv(x), conv(x))
    whole = kind(8, 2, 5)
    whole.load_state_dict(conv.state_dict())
    assert torch.equal(conv(x), whole(x))


@pytest.mark.parametrize("kind", TYPES)
def test_kernels_are_float32_under_autocast(kind: type):
    conv, x = kind(8, 2, 5), torch.randn(2, 9, 8).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        kernels, y = conv.kernels(x, None), conv(x)
    assert kernels.dtype == torch.float32
    assert y.dtype == torch.bfloat16
    if kind is not DynamicConv:  # whose linear layer is one of the model's many in bfloat16
        assert torch.equal(kernels, conv.kernels(x.float(), None))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((8, 3, 5), r"heads \(3\) must divide the width \(8\)"),
        ((8, 0, 5), r"heads \(0\) must divide the width \(8\)"),
        ((8, 2, 4), r"kernel size \(4\) must be odd in an encoder"),
        ((8, 2, 0), r"kernel size \(0\) must be at least 1"),
    ],
    ids=str,
)
def test_wrong_sizes_are_refused(kind: type, args: tuple, message: str):
    with pytest.raises(UserError, match=message):
        kind(*args)


def test_a_gate_is_refused_in_a_decoder():
    with pytest.raises(UserError, match=r"mixer \(CGCLightweightConv\) needs the whole sentence"):
        CGCLightweightConv(8, 2, 5, causal=True)
