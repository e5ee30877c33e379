"""The operator in the rest of PyTorch: its contract, compile, export, activation checkpointing, functional calls, DDP."""

import shutil
from functools import partial

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from cgc_video.layers import CGC3d
from cgc_video.ops import gated_conv2d
from cgc_video.testing import CASES, GatedConvCase, run_with_grads

BACKENDS = ["auto", "eager"]
CHECKED = ("batch-1", "c24-o20-7x5-s2", "groups-4", "not-contiguous")  # each check takes seconds
CASE = GatedConvCase("any", in_channels=16, out_channels=24, size=(7, 5), bias=True)


@pytest.fixture
def gated_layer() -> CGC3d:
    layer = CGC3d(16, 16, 3, padding=1, num_segments=4)
    torch.nn.init.normal_(layer.gate.decode_in.weight)
    return layer.eval()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", [case for case in CASES if case.name in CHECKED], ids=lambda case: case.name)
def test_opcheck(case: GatedConvCase, backend: str):
    """Schema, autograd registration, shapes and strides of fake tensors, static and dynamic tracing."""
    tensors = [case.tensors(torch.float32)[name] for name in ("x", "weight", "gate_in", "gate_out")]
    call = (list(case.stride), list(case.padding), list(case.dilation), case.groups, backend)
    torch.library.opcheck(torch.ops.cgc_video.gated_conv2d.default, (*tensors, *call))
    y = gated_conv2d(*tensors, **case.conv_args).detach()
    detached = [tensor.detach() for tensor in tensors]
    backward = torch.ops.cgc_video.gated_conv2d_backward.default
    torch.library.opcheck(backward, (y, *detached, *call, [True, False, True, True]))


@pytest.mark.parametrize("autocast", [False, True], ids=["float32", "autocast"])
def test_compiles_without_graph_breaks(autocast: bool):
    function = partial(gated_conv2d, **CASE.conv_args)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        expected = run_with_grads(function, CASE.tensors(torch.float32))
        actual = run_with_grads(compiled, CASE.tensors(torch.float32))
    for name, value in expected.items():
        assert actual[name].dtype == value.dtype
        torch.testing.assert_close(actual[name], value)


@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="torch.compile needs a C++ compiler")
def test_compiles_to_native_code():
    """Through the whole of torch.compile, with its C++ code generation."""
    compiled = torch.compile(partial(gated_conv2d, **CASE.conv_args), fullgraph=True)
    expected = run_with_grads(partial(gated_conv2d, **CASE.conv_args), CASE.tensors(torch.float32))
    actual = run_with_grads(compiled, CASE.tensors(torch.float32))
    for name, value in expected.items():
        torch.testing.assert_close(actual[name], value, rtol=1e-4, atol=1e-5)


def test_exports_with_any_clip_count_and_size(gated_layer):
    clips = 4 * torch.export.Dim("clips", min=1, max=64)
    sizes = {0: clips, 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    exported = torch.export.export(gated_layer, (torch.randn(8, 16, 9, 7),), dynamic_shapes=(sizes,)).module()
    for shape in ((8, 16, 9, 7), (12, 16, 5, 20)):
        x = torch.randn(shape)
        torch.testing.assert_close(exported(x), gated_layer(x))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [(5, 7), (20, 20)], ids=str)
def test_channels_last_stays(backend: str, size):
    case = GatedConvCase("layout", in_channels=16, out_channels=16, size=size, contiguous=False)
    tensors = case.tensors(torch.float32)
    y = gated_conv2d(**tensors, **case.conv_args, backend=backend)
    assert y.is_contiguous(memory_format=torch.channels_last)
    (grad_x,) = torch.autograd.grad(y.sum(), tensors["x"])
    assert grad_x.is_contiguous(memory_format=torch.channels_last)


def test_activation_checkpointing(gated_layer):
    x = torch.randn(8, 16, 9, 7)
    results = []
    for run in (gated_layer, partial(checkpoint, gated_layer, use_reentrant=False)):
        gated_layer.zero_grad()
        run(x).square().sum().backward()
        results.append([parameter.grad.clone() for parameter in gated_layer.parameters()])
    for plain, recomputed in zip(*results, strict=True):
        assert torch.equal(plain, recomputed)


def test_functional_call(gated_layer):
    x = torch.randn(8, 16, 9, 7)
    doubled = {name: 2 * parameter for name, parameter in gated_layer.named_parameters() if name in ("weight", "bias")}
    y = torch.func.functional_call(gated_layer, doubled, (x,))
    torch.testing.assert_close(y, 2 * gated_layer(x))
    y.sum().backward()
    assert gated_layer.weight.grad is not None


def test_data_parallel_averages_gradients(gated_layer, tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        x = torch.randn(8, 16, 9, 7)
        gated_layer(x).square().sum().backward()
        expected = [parameter.grad.clone() for parameter in gated_layer.parameters()]
        gated_layer.zero_grad()
        torch.nn.parallel.DistributedDataParallel(gated_layer)(x).square().sum().backward()
        for parameter, value in zip(gated_layer.parameters(), expected, strict=True):
            torch.testing.assert_close(parameter.grad, value)
    finally:
        torch.distributed.destroy_process_group()


def test_shapes_without_values_on_the_meta_device():
    x, weight = torch.empty(2, 16, 9, 7, device="meta"), torch.empty(8, 16, 3, 3, device="meta")
    gates = (torch.empty(2, channels, 3, 3, device="meta") for channels in (16, 8))
    y = gated_conv2d(x, weight, *gates, padding=1)
    assert (y.shape, y.device.type) == ((2, 8, 9, 7), "meta")
