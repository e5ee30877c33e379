"""Every backend against the reference in float64, and the laws of the op."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from cgc_video.ops import gated_conv2d, gated_conv2d_reference, modulated_conv2d, select_backend
from cgc_video.ops.gated_conv import chunked, unsupported_reason
from cgc_video.testing import CASES, FLOOR, GatedConvCase, assert_close, rms_error, run_with_grads

BACKENDS = ("cpu", "eager")  # those that run on the CPU; Triton's has tests of its own
by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.mark.parametrize("backend", [*BACKENDS, "auto"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@by_name
def test_matches_reference(case: GatedConvCase, dtype: torch.dtype, backend: str):
    tensors = case.tensors(dtype)
    if backend in BACKENDS:
        arguments = (tensors["x"], tensors["weight"], *case.conv_args.values())
        if reason := unsupported_reason(backend, *arguments):
            with pytest.raises(ValueError, match="cannot run this call"):
                gated_conv2d(*list(tensors.values())[:4], **case.conv_args, backend=backend)
            pytest.skip(reason)
    exact = run_with_grads(gated_conv2d_reference, case.tensors(dtype, compute=torch.float64), **case.conv_args)
    plain = run_with_grads(gated_conv2d_reference, case.tensors(dtype), **case.conv_args)
    actual = run_with_grads(partial(gated_conv2d, backend=backend), tensors, **case.conv_args)
    for name in exact:
        assert_close(name, actual[name], exact[name], 2 * rms_error(plain[name], exact[name]) + FLOOR[dtype])


@by_name
def test_gradients_of_the_reference(case: GatedConvCase):
    if case.logit_scale > 10:
        pytest.skip("a saturated gate has no finite differences")
    tensors = case.tensors(torch.float64)
    function = partial(gated_conv2d_reference, **case.conv_args)
    assert torch.autograd.gradcheck(function, tuple(tensors.values()), fast_mode=True)


@pytest.mark.parametrize("backend", ["reference", *BACKENDS])
def test_zero_logits_halve_the_plain_convolution(backend: str):
    case = GatedConvCase("zero", in_channels=32, out_channels=16, size=(3, 3), bias=True, logit_scale=0.0)
    tensors = case.tensors(torch.float32)
    y = gated_conv2d(**tensors, **case.conv_args, backend=backend)
    plain = F.conv2d(tensors["x"], tensors["weight"], None, *case.conv_args.values())
    torch.testing.assert_close(y, 0.5 * plain + tensors["bias"].view(-1, 1, 1))


def test_permuting_the_batch_permutes_the_output():
    case = GatedConvCase("permuted", batch=7)
    t = case.tensors(torch.float32)
    order = torch.randperm(7)
    y = gated_conv2d(**t, **case.conv_args)
    permuted = gated_conv2d(t["x"][order], t["weight"], t["gate_in"][order], t["gate_out"][order], **case.conv_args)
    torch.testing.assert_close(permuted, y[order])


@pytest.mark.parametrize(("backend", "dtype"), [("eager", torch.float64), ("cpu", torch.float32)])
def test_chunks_of_any_size_agree(backend: str, dtype: torch.dtype, monkeypatch):
    case = GatedConvCase("chunked", batch=11, size=(20, 20))
    whole = run_with_grads(partial(gated_conv2d, backend=backend), case.tensors(dtype), **case.conv_args)
    monkeypatch.setattr(chunked, "_CHUNK_BYTES", 3 * 8 * 8 * 9 * dtype.itemsize)  # three samples
    in_chunks = run_with_grads(partial(gated_conv2d, backend=backend), case.tensors(dtype), **case.conv_args)
    for name in whole:
        torch.testing.assert_close(in_chunks[name], whole[name])


def test_full_kernels_agree_with_the_decomposed_gate():
    case = GatedConvCase("full", in_channels=4, out_channels=6, bias=True)
    t = case.tensors(torch.float64)
    gate = torch.sigmoid(t["gate_in"].unsqueeze(1) + t["gate_out"].unsqueeze(2))
    full = modulated_conv2d(t["x"], t["weight"] * gate, t["bias"], **case.conv_args)
    torch.testing.assert_close(full, gated_conv2d(**t, **case.conv_args))


@pytest.mark.parametrize("backend", ["reference", "eager", "auto"])
def test_an_empty_batch_gives_an_empty_output(backend: str):
    case = GatedConvCase("empty", batch=0, bias=True)
    t = case.tensors(torch.float32)
    y = gated_conv2d(**t, **case.conv_args, backend=backend)
    assert y.shape == (0, 8, 6, 6)
    if backend != "reference":
        y.sum().backward()
        assert not t["weight"].grad.any()


def test_nothing_of_kernel_size_per_sample_is_kept_for_backward():
    case = GatedConvCase("saved", batch=16, in_channels=32, out_channels=32)
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        gated_conv2d(**case.tensors(torch.float32), **case.conv_args, backend="eager")
    assert max(saved) < 16 * 32 * 32 * 9


def test_autocast_computes_products_in_its_dtype_and_gates_in_float32():
    case = GatedConvCase("autocast", bias=True)
    t = case.tensors(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y = gated_conv2d(**t, **case.conv_args)
    assert y.dtype == torch.bfloat16
    exact = gated_conv2d_reference(**t, **case.conv_args)
    assert rms_error(y, exact) < 2 * FLOOR[torch.bfloat16]
    y.float().sum().backward()
    assert {value.grad.dtype for value in t.values()} == {torch.float32}


def test_a_second_backward_says_that_it_cannot():
    case = GatedConvCase("double")
    t = case.tensors(torch.float32)
    for backend in BACKENDS:
        y = gated_conv2d(**t, **case.conv_args, backend=backend)
        (grad,) = torch.autograd.grad(y.square().sum(), t["x"], create_graph=True)
        with pytest.raises(RuntimeError, match="differentiable once; use backend='reference'"):
            grad.sum().backward()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(3, 8, 6)}, r"x \(3, 8, 6\) must be \(N, C_in, H, W\)"),
        ({"x": torch.zeros(3, 7, 6, 6)}, "takes 8 input channels, but x has 7"),
        ({"gate_in": torch.zeros(3, 8, 3, 1)}, r"gate_in \(3, 8, 3, 1\) must be \(3, 8, 3, 3\)"),
        ({"gate_out": torch.zeros(2, 8, 3, 3)}, r"gate_out \(2, 8, 3, 3\) must be \(3, 8, 3, 3\)"),
        ({"backend": "fastest"}, r"backend \('fastest'\) must be 'auto', 'reference' or one of"),
    ],
)
def test_wrong_arguments_are_named(change: dict, message: str):
    tensors = GatedConvCase("wrong").tensors(torch.float32)
    with pytest.raises(ValueError, match=message):
        gated_conv2d(**{**tensors, **change})


def test_auto_serves_every_call_and_a_named_backend_runs_or_raises():
    x, weight = torch.zeros(2, 4, 5, 5, dtype=torch.float64), torch.zeros(4, 4, 3, 3, dtype=torch.float64)
    assert select_backend(x, weight) == "eager"
    with pytest.raises(ValueError, match="float32"):
        select_backend(x, weight, backend="cpu")
    with pytest.raises(ValueError, match="it runs on a GPU only"):
        select_backend(x.float(), weight.float(), backend="triton")
