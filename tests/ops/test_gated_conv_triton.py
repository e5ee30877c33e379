"""The Triton backend against the reference in float64: on a GPU where there is one, else in Triton's interpreter.

The interpreter takes about 100 microseconds per operation of a block, whatever its size. So most tests take few samples
(a program handles one) and blocks that hold a whole case; others force blocks of 16, so that every loop and mask of the
kernels is used, or keep the GPU's rule. Without a GPU the kernels are compiled for one all the same, and not run.
"""

import importlib
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from cgc_video.ops.gated_conv import gated_conv2d_reference, triton_blocks
from cgc_video.ops.gated_conv import triton as backend
from cgc_video.testing import CASES, FLOOR, GatedConvCase, assert_close, rms_error, run_with_grads

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
NAMES = ("y", "x", "weight", "gate_in", "gate_out")
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
SMALL = (
    GatedConvCase("blocks", batch=2, in_channels=18, out_channels=17, size=(6, 5), kernel=(2, 1), stride=(2, 1)),
    GatedConvCase(
        "groups", batch=2, in_channels=34, out_channels=36, size=(1, 17), kernel=(1, 1), padding=(0, 0), groups=2
    ),
    GatedConvCase(
        "blocks-of-taps", batch=2, in_channels=3, out_channels=18, size=(5, 7), kernel=(2, 3), padding=(0, 0)
    ),
    GatedConvCase(
        "depthwise", batch=2, in_channels=2, out_channels=4, size=(5, 5), kernel=(5, 5), padding=(1, 2), groups=2
    ),
)

with pytest.MonkeyPatch.context() as patch:  # how kernels run is decided when they, and Triton, are first imported
    if DEVICE == "cpu":
        patch.setenv("TRITON_INTERPRET", "1")
    version = tuple(map(int, pytest.importorskip("triton").__version__.split(".")[:2]))
    kernels = importlib.import_module("cgc_video.ops.gated_conv.triton_kernels")

pytestmark = [
    pytest.mark.skipif(
        not kernels.CONSISTENT, reason="Triton was imported without TRITON_INTERPRET=1 before these tests"
    ),
    pytest.mark.filterwarnings("ignore:overflow encountered in exp:RuntimeWarning"),  # the gate is 0 then
]


@pytest.fixture(autouse=True)
def _mode(monkeypatch):
    if DEVICE == "cpu":
        monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # plain PyTorch's error is that of float32
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(DEVICE == "cpu")  # torch.empty is filled with NaN: what is never written shows
    yield
    torch.use_deterministic_algorithms(before)


@pytest.fixture
def _few_blocks(monkeypatch):
    """Blocks that hold a whole case where they can; on a GPU the rule is as fast."""

    def blocks(out_channels, channels, taps, pixels, dtype):
        c = min(64, triton_blocks._power_of_two(channels))
        most_taps = max(128 // c, 1)
        taps = min(most_taps, triton_blocks._power_of_two(taps))
        taps = max(taps, 16 // c)
        return triton_blocks.Blocks(triton_blocks._side(out_channels, 64), c, taps, triton_blocks._side(pixels, 64))

    if DEVICE == "cpu":
        monkeypatch.setattr(backend, "product_blocks", blocks)
        monkeypatch.setattr(backend, "weight_gradient_blocks", blocks)


@pytest.fixture
def _small_blocks(monkeypatch):
    """Blocks of 16 along every side."""

    def blocks(out_channels, channels, taps, pixels, dtype):
        return triton_blocks.Blocks(16, *triton_blocks._columns(channels, taps, 16), 16)

    monkeypatch.setattr(backend, "product_blocks", blocks)
    monkeypatch.setattr(backend, "weight_gradient_blocks", blocks)


def run(tensors: dict[str, torch.Tensor], case: GatedConvCase, needs=(True,) * 4) -> dict[str, torch.Tensor]:
    """Output and gradients, under the weighting of the output that :func:`run_with_grads` draws."""
    inputs = [tensors[name].detach() for name in NAMES[1:]]
    conv_args = tuple(case.conv_args.values())
    assert backend.unsupported_reason(*inputs[:2], *conv_args) is None
    y = backend.forward(*inputs, *conv_args)
    generator = torch.Generator().manual_seed(1)
    grad = torch.randn(y.shape, generator=generator, dtype=torch.float64).to(y.dtype).to(y.device)
    return dict(zip(NAMES, (y, *backend.backward(grad, *inputs, *conv_args, needs)), strict=True))


def expected(case: GatedConvCase, dtype: torch.dtype, compute: torch.dtype | None = None) -> dict[str, torch.Tensor]:
    tensors = replace(case, bias=False).tensors(dtype, compute, DEVICE)
    return run_with_grads(gated_conv2d_reference, tensors, **case.conv_args)


def check(case: GatedConvCase, dtype: torch.dtype) -> None:
    exact, plain = expected(case, dtype, torch.float64), expected(case, dtype)
    actual = run(case.tensors(dtype, device=DEVICE), case)
    for name in NAMES:
        assert actual[name].dtype == dtype
        assert_close(name, actual[name], exact[name], 2 * rms_error(plain[name], exact[name]) + FLOOR[dtype])


@pytest.mark.usefixtures("_few_blocks")
@DTYPES
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_matches_reference(case: GatedConvCase, dtype: torch.dtype):
    if DEVICE == "cpu":
        case = replace(case, batch=min(case.batch, 2 if case.groups == 1 else 1))
    check(case, dtype)


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_several_blocks_along_every_side(case: GatedConvCase):
    check(case, torch.float32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_matches_reference_with_the_rule_for_blocks(dtype: torch.dtype):
    check(
        GatedConvCase("rule", batch=1, in_channels=36, out_channels=70, size=(9, 9), kernel=(2, 1), padding=(0, 0)),
        dtype,
    )


@pytest.mark.usefixtures("_few_blocks")
@pytest.mark.parametrize(
    "case",
    [
        GatedConvCase("stride-beyond-kernel", batch=1, size=(7, 8), kernel=(1, 2), stride=(3, 3), padding=(0, 0)),
        GatedConvCase("stride-2-dilation-2", batch=1, size=(9, 9), stride=(2, 2), padding=(2, 2), dilation=(2, 2)),
        GatedConvCase("stride-4-dilation-6", batch=1, size=(17, 15), stride=(4, 3), padding=(5, 4), dilation=(6, 2)),
        GatedConvCase("padding-beyond-kernel", batch=1, size=(2, 3), padding=(4, 3)),
    ],
    ids=lambda case: case.name,
)
def test_input_gradient_of_every_residue(case: GatedConvCase):
    check(case, torch.float32)


@pytest.mark.usefixtures("_few_blocks")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_float32_weight_and_gates_with_a_16_bit_input(dtype: torch.dtype):
    """As under autocast: the kernel is gated in float32 and rounded once."""
    case = GatedConvCase("mixed", batch=2, in_channels=12, out_channels=20)
    tensors = case.tensors(torch.float32, device=DEVICE)
    tensors["x"] = tensors["x"].detach().to(dtype)
    actual = run(tensors, case)
    assert [actual[name].dtype for name in NAMES] == [dtype, dtype, *[torch.float32] * 3]
    exact_tensors = {name: value.detach().double().requires_grad_() for name, value in tensors.items()}
    exact = run_with_grads(gated_conv2d_reference, exact_tensors, **case.conv_args)
    for name in NAMES:  # one rounding each of the kernel, the output and the output's gradient
        assert_close(name, actual[name], exact[name], 2 * FLOOR[dtype])


@pytest.mark.usefixtures("_few_blocks")
@pytest.mark.parametrize("logit", [-200.0, -100.0, 100.0, 200.0])
def test_extreme_logits_open_or_close_the_gate(logit: float):
    case = GatedConvCase("extreme", batch=1)
    tensors = case.tensors(torch.float32, device=DEVICE)
    open_gate = expected(replace(case, logit_scale=0.0), torch.float32)
    tensors["gate_in"] = torch.full_like(tensors["gate_in"], logit)
    tensors["gate_out"] = torch.full_like(tensors["gate_out"], logit)
    actual = run(tensors, case)
    assert all(value.isfinite().all() for value in actual.values())
    torch.testing.assert_close(actual["y"], open_gate["y"] * (2 if logit > 0 else 0))
    assert not actual["gate_in"].any()
    # What cancels in the sum of the logits does not matter.
    tensors["gate_out"] = torch.full_like(tensors["gate_out"], -logit)
    torch.testing.assert_close(run(tensors, case)["y"], open_gate["y"])


@pytest.mark.usefixtures("_few_blocks")
@pytest.mark.parametrize("needed", range(1, 5), ids=lambda index: NAMES[index])
def test_only_what_is_needed_is_computed(needed: int):
    case = GatedConvCase("needs", batch=1)
    tensors = case.tensors(torch.float32, device=DEVICE)
    every = run(tensors, case)
    one = run(tensors, case, needs=tuple(index == needed for index in range(1, 5)))
    for index, name in enumerate(NAMES):
        if index in (0, needed):
            assert torch.equal(one[name], every[name])
        else:
            assert one[name] is None


@pytest.mark.usefixtures("_few_blocks")
def test_an_uneven_split_of_the_batch_gives_the_same_bits_each_time():
    case = GatedConvCase("twice", batch=7, kernel=(1, 2))
    check(case, torch.float32)
    tensors = case.tensors(torch.float32, device=DEVICE)
    first, second = run(tensors, case), run(tensors, case)
    assert all(torch.equal(first[name], second[name]) for name in NAMES)


def test_an_empty_batch_gives_an_empty_output_and_no_gradient():
    case = GatedConvCase("empty", batch=0)
    actual = run(case.tensors(torch.float32, device=DEVICE), case)
    assert actual["y"].shape == (0, 8, 6, 6)
    assert actual["weight"].shape == (8, 8, 3, 3)
    assert not actual["weight"].any()
    assert actual["x"].shape == (0, 8, 6, 6)
    assert actual["gate_in"].shape == actual["gate_out"].shape == (0, 8, 3, 3)


@pytest.mark.usefixtures("_few_blocks")
def test_formats_are_kept():
    case = GatedConvCase("formats", batch=2, out_channels=12, kernel=(2, 2))
    tensors = case.tensors(torch.float32, device=DEVICE)
    contiguous = run(tensors, case)
    last = {name: value.detach().contiguous(memory_format=torch.channels_last) for name, value in tensors.items()}
    channels_last = run(last, case)
    for name in NAMES:
        assert contiguous[name].is_contiguous()
        assert channels_last[name].is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(channels_last[name], contiguous[name])


@pytest.mark.usefixtures("_few_blocks")
def test_an_expanded_gradient_and_a_strided_input():
    case = GatedConvCase("strides", batch=2)
    tensors = {name: value.detach() for name, value in case.tensors(torch.float32, device=DEVICE).items()}
    wide = torch.randn(2, 16, 12, 18, device=DEVICE)
    tensors["x"] = wide[:, ::2, ::2, ::3]
    conv_args = tuple(case.conv_args.values())
    grad = torch.ones((), device=DEVICE).expand(2, 8, 6, 6)
    strided = backend.backward(grad, *tensors.values(), *conv_args, (True,) * 4)
    tensors["x"] = tensors["x"].contiguous()
    dense = backend.backward(grad.contiguous(), *tensors.values(), *conv_args, (True,) * 4)
    for actual, reference in zip(strided, dense, strict=True):
        torch.testing.assert_close(actual, reference)


def reason(x=None, weight=None, padding=(1, 1)):
    x = torch.empty(2, 8, 6, 6, device=DEVICE) if x is None else x
    weight = torch.empty(8, 8, 3, 3, device=DEVICE) if weight is None else weight
    return backend.unsupported_reason(x, weight, (1, 1), padding, (1, 1), 1)


def test_what_it_cannot_run_is_named(monkeypatch):
    assert reason() is None
    double = torch.empty(2, 8, 6, 6, device=DEVICE, dtype=torch.float64)
    assert "float64 with weight float32 given" in reason(double)
    assert "(float32 with weight bfloat16 given)" in reason(weight=torch.empty(8, 8, 3, 3, device=DEVICE).bfloat16())
    assert "(meta given" in reason(torch.empty(2, 8, 6, 6, device="meta"))
    assert "weight on meta" in reason(weight=torch.empty(8, 8, 3, 3, device="meta"))
    assert "kernel (3, 3) does not fit the padded input (2, 6)" in reason(double.float()[:, :, :2], padding=(0, 0))
    if DEVICE == "cpu":
        monkeypatch.delenv("TRITON_INTERPRET")
        assert reason() == "it runs on a GPU only (cpu given, weight on cpu)"


@pytest.mark.parametrize("flags", [{"INTERPRETED": DEVICE == "cuda"}, {"CONSISTENT": False}], ids=str)
def test_a_late_change_of_mode_is_named(flags, monkeypatch):
    for name, value in flags.items():
        monkeypatch.setattr(kernels, name, value)
    assert reason() == "TRITON_INTERPRET was changed after Triton was imported; set it before the process starts"


@pytest.fixture
def _fresh_load():
    backend._load.cache_clear()
    yield
    backend._load.cache_clear()


@pytest.mark.usefixtures("_fresh_load")
def test_without_triton_the_reason_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "triton", None)  # as if not installed
    assert not backend.is_available()
    assert "triton is not installed" in reason()


@pytest.mark.usefixtures("_fresh_load")
def test_an_old_triton_is_named(monkeypatch):
    monkeypatch.setattr(sys.modules["triton"], "__version__", "2.1.0")
    assert backend.why_unavailable() == "triton 3.0 or newer is needed (2.1.0 installed)"


def test_it_is_preferred_where_tensor_cores_do_the_work():
    x, weight = torch.empty(2, 64, 6, 6), torch.empty(64, 64, 3, 3)
    assert not backend.is_faster(x.bfloat16(), weight, (1, 1), (1, 1), (1, 1), 1)  # the interpreter


@pytest.mark.parametrize("rule", [triton_blocks.product_blocks, triton_blocks.weight_gradient_blocks])
@DTYPES
def test_blocks_are_tiles_that_a_dot_takes(rule, dtype: torch.dtype):
    for channels in (1, 2, 3, 8, 15, 16, 17, 64, 100, 512):
        for taps in (0, 1, 5, 9, 49):
            for pixels in (1, 49, 65, 196, 12544):
                blocks = rule(channels, channels, taps, pixels, dtype)
                sides = (blocks.o, blocks.c * blocks.taps, blocks.p)
                assert all(16 <= side <= 256 and side & (side - 1) == 0 for side in sides)
                assert blocks.taps == 1 or channels < 16


def test_the_batch_is_split_only_where_programs_are_few():
    device = torch.device(DEVICE)
    assert triton_blocks.weight_gradient_splits(10**6, 128, device) == 1
    assert triton_blocks.weight_gradient_splits(1, 128, device) > 1
    assert triton_blocks.weight_gradient_splits(1, 2, device) == 2
    assert triton_blocks.weight_gradient_splits(0, 0, device) == 1


COMPILE = """
import sys
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from cgc_video.ops.gated_conv import triton as backend, triton_kernels

class Compiler:
    def __getattr__(self, name):
        value = getattr(triton_kernels, name)
        return Launch(value) if name.endswith("_kernel") else value

class Launch:
    def __init__(self, kernel):
        self.kernel = kernel

    def __getitem__(self, grid):
        return self.compile

    def compile(self, *args, num_warps, num_stages, **constants):
        types = {torch.float32: "*fp32", torch.bfloat16: "*bf16", torch.float16: "*fp16"}
        names, signature, constexprs, attributes = self.kernel.arg_names, {}, {}, {}
        for index, name in enumerate(names):
            value = args[index] if index < len(args) else constants.pop(name)
            if torch.is_tensor(value):
                signature[name] = types[value.dtype]
            elif name.isupper() or value == 1:
                signature[name], constexprs[(index,)] = "constexpr", value
            else:
                signature[name] = "i32"
            if torch.is_tensor(value) or (signature[name] == "i32" and value % 16 == 0):
                attributes[(index,)] = [["tt.divisibility", 16]]
        assert not constants
        source = ASTSource(self.kernel, signature, constexprs, attributes)
        options = {"num_warps": num_warps, "num_stages": num_stages}
        compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
        print(self.kernel.fn.__name__, "wgmma" in compiled.asm["ptx"])

backend._kernels = Compiler
x = torch.empty(2, 64, 20, 20, dtype=torch.bfloat16).contiguous(memory_format=torch.channels_last)
weight, gate = torch.empty(64, 64, 3, 3), torch.empty(2, 64, 3, 3)
conv_args = (1, 1), (1, 1), (1, 1), 1
y = backend.forward(x, weight, gate, gate, *conv_args)
backend.backward(y, x, weight, gate, gate, *conv_args, (True,) * 4)
"""


@pytest.mark.skipif(version < (3, 4), reason="Triton's compiler is called differently before 3.4")
def test_compiles_to_tensor_core_instructions_without_a_gpu(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path)
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", COMPILE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    product, weight_gradient = "_gated_conv_fwd_kernel True", "_gated_conv_bwd_weight_kernel True"
    assert done.stdout.splitlines() == [product, product, weight_gradient]


@pytest.mark.needs_cuda
@pytest.mark.parametrize(
    "case",
    [
        GatedConvCase("res2", batch=4, in_channels=64, out_channels=64, size=(56, 56)),
        GatedConvCase("res3-s2", batch=4, in_channels=128, out_channels=128, size=(56, 56), stride=(2, 2)),
        GatedConvCase("res5", batch=8, in_channels=512, out_channels=512, size=(7, 7)),
        GatedConvCase(
            "stem", in_channels=3, out_channels=64, size=(224, 224), kernel=(7, 7), stride=(2, 2), padding=(3, 3)
        ),
    ],
    ids=lambda case: case.name,
)
@DTYPES
def test_layers_of_a_network_on_a_gpu(case: GatedConvCase, dtype: torch.dtype):
    check(case, dtype)


@pytest.mark.needs_cuda
def test_nothing_of_kernel_size_per_sample_is_allocated_on_a_gpu():
    case = GatedConvCase("memory", batch=64, in_channels=256, out_channels=256, size=(7, 7))
    tensors = case.tensors(torch.bfloat16, device="cuda")
    run(tensors, case)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run(tensors, case)
    assert torch.cuda.max_memory_allocated() - before < 64 * 256 * 256 * 9 * 2
