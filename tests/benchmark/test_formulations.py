"""The formulations that ours is compared with compute the same, and are called in its place."""

import pytest
import torch
import torch.nn.functional as F

from cgc_video.benchmark.formulations import get_formulation, grouped_conv2d, unfold_conv2d, use_op
from cgc_video.layers import CGC2d, context_gated_conv
from cgc_video.ops import gated_conv2d, gated_conv2d_reference
from cgc_video.testing import CASES, GatedConvCase, assert_close, run_with_grads

# The layers never see an empty batch here.
FILLED = [case for case in CASES if case.batch > 0]


@pytest.mark.parametrize("function", [unfold_conv2d, grouped_conv2d])
@pytest.mark.parametrize("case", FILLED, ids=lambda case: case.name)
def test_matches_reference(case: GatedConvCase, function):
    tensors = case.tensors(torch.float64)
    exact = run_with_grads(gated_conv2d_reference, tensors, **case.conv_args)
    actual = run_with_grads(function, tensors, **case.conv_args)
    for name in exact:
        assert_close(name, actual[name], exact[name], 1e-12)


def test_plain_ignores_the_gate():
    tensors = GatedConvCase("plain").tensors(torch.float32)
    y = get_formulation("plain")(**tensors, padding=(1, 1))
    torch.testing.assert_close(y, F.conv2d(tensors["x"], tensors["weight"], padding=1))


def test_a_backend_stands_for_itself():
    tensors = GatedConvCase("named").tensors(torch.float32)
    expected = gated_conv2d(**tensors, backend="eager")
    torch.testing.assert_close(get_formulation("eager")(**tensors), expected)


def test_layers_call_the_op_that_is_put_in_and_then_their_own_again():
    layer, x = CGC2d(4, 4, 3), torch.randn(2, 4, 5, 5)
    calls = []

    def op(*args, **kwargs):
        calls.append(args)
        return gated_conv2d(*args, **kwargs)

    with use_op(op):
        layer(x)
    layer(x)
    assert len(calls) == 1
    with pytest.raises(ZeroDivisionError), use_op(op):
        _ = 1 / 0
    assert context_gated_conv.gated_conv2d is gated_conv2d
