"""The checks that come before any timing."""

import pytest

from cgc_video.benchmark import check
from cgc_video.benchmark.layer_cases import LayerCase
from cgc_video.benchmark.settings import Settings
from cgc_video.errors import UserError
from cgc_video.ops import gated_conv2d
from cgc_video.testing import CASES, GatedConvCase

LAYERS = [
    LayerCase(GatedConvCase("a", batch=5, in_channels=16, out_channels=24, size=(9, 8))),
    LayerCase(GatedConvCase("b", batch=2, in_channels=3, out_channels=8, size=(16, 16), bias=True), input_grad=False),
]


def test_the_op_passes():
    assert check.check_op(Settings()) == len(CASES)


def test_a_wrong_op_is_named_with_case_and_tensor(monkeypatch):
    monkeypatch.setattr(check, "gated_conv2d", lambda *args, **kwargs: 1.001 * gated_conv2d(*args, **kwargs))
    with pytest.raises(
        UserError, match=rf"case {CASES[0].name}, torch.float32: y is off by 1.0e-03 .*nothing was timed"
    ):
        check.check_op(Settings())


@pytest.mark.parametrize("settings", [Settings(), Settings(amp="bf16", channels_last=True)], ids=["float32", "bf16"])
def test_formulations_agree(settings, monkeypatch):
    monkeypatch.setattr(check, "_SLICE_BYTES", 2 * 8 * 16 * 24 * 9)  # two samples at a time
    assert check.check_formulations(LAYERS, ["plain", "unfold", "grouped", "ours", "eager"], settings) == 2
    assert check.check_formulations(LAYERS, ["plain", "ours"], settings) == 0


def test_a_formulation_that_differs_is_named(monkeypatch):
    real = check.get_formulation

    def wrong(*args, **kwargs):
        return 1.1 * gated_conv2d(*args, **kwargs)

    monkeypatch.setattr(check, "get_formulation", lambda name: wrong if name == "unfold" else real(name))
    with pytest.raises(UserError, match="unfold against ours, layer a: y is off by 1.0e-01"):
        check.check_formulations(LAYERS, ["grouped", "unfold"], Settings())
