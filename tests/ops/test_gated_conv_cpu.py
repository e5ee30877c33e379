"""The CPU backend against the definition in float64: its direct convolution, and its gating for a library's convolution."""

import multiprocessing
from typing import NamedTuple

import pytest
import torch

from cgc_video.ops import gated_conv2d, gated_conv2d_reference
from cgc_video.ops.gated_conv import c_library, cpu

needs_kernel = pytest.mark.skipif(bool(c_library.why_unavailable()), reason=str(c_library.why_unavailable()))
both_paths = pytest.mark.parametrize("path", ["direct", "gating"])
NAMES = ("y", "x", "weight", "gate_in", "gate_out", "bias")
# Relative to the RMS of the exact values. Measured: this backend 3e-8 to 3e-7, eager 2e-8 to 3e-7 over these cases.
FLOOR = 1e-6


class Case(NamedTuple):
    name: str
    batch: int
    channels: int
    out_channels: int
    size: tuple[int, int]
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    threads: int = 1

    @property
    def conv_args(self):
        return self.stride, self.padding, self.dilation

    def tensors(self) -> list[torch.Tensor]:
        """x, weight, gate_in, gate_out, bias"""
        kh, kw = self.kernel
        return [
            torch.randn(self.batch, self.channels, *self.size),
            torch.randn(self.out_channels, self.channels, kh, kw) / (self.channels * kh * kw) ** 0.5,
            3 * torch.randn(self.batch, self.channels, kh, kw),
            3 * torch.randn(self.batch, self.out_channels, kh, kw),
            torch.randn(self.out_channels),
        ]


CASES = [
    Case("2x2", 5, 32, 48, (2, 2)),
    Case("2x2-threads", 5, 160, 48, (2, 2), threads=5),
    Case("1x1-map", 3, 16, 16, (1, 1)),
    Case("odd-channels", 3, 20, 7, (5, 3)),
    Case("odd-channels-threads", 3, 70, 33, (5, 3), threads=2),
    Case("one-channel", 2, 1, 1, (4, 4)),
    Case("batch-1", 1, 40, 24, (3, 4)),
    Case("buffers-full", 2, 600, 36, (3, 3)),
    Case("stride-2", 2, 33, 50, (3, 5), stride=(2, 2)),
    Case("stride-1x2", 2, 18, 16, (4, 6), stride=(1, 2), padding=(0, 1)),
    Case("dilation", 2, 24, 16, (7, 5), padding=(2, 2), dilation=(2, 2)),
    Case("pointwise", 2, 40, 24, (4, 4), kernel=(1, 1), padding=(0, 0)),
    Case("3x1", 2, 8, 9, (9, 2), kernel=(3, 1), padding=(1, 0)),
    Case("5x5", 2, 17, 16, (7, 6), kernel=(5, 5), stride=(2, 1), padding=(2, 2)),
    Case("7x7-on-2x2", 2, 16, 20, (2, 2), kernel=(7, 7), padding=(3, 3)),
    Case("padding-beyond-kernel", 2, 16, 16, (2, 2), padding=(3, 3)),
    Case("12x12", 2, 32, 16, (12, 12)),
]


def fused(case: Case):
    return lambda *tensors: gated_conv2d(*tensors, *case.conv_args, backend="cpu")


def eager(case: Case):
    return lambda *tensors: gated_conv2d(*tensors, *case.conv_args, backend="eager")


def exact(case: Case):
    stride, padding, dilation = case.conv_args
    return lambda *tensors: gated_conv2d_reference(
        *(None if t is None else t.double() for t in tensors), stride=stride, padding=padding, dilation=dilation
    )


def run(op, tensors, grad=None, requires=(True,) * 5) -> dict[str, torch.Tensor]:
    """The output and the gradients of those tensors that require one; the output gradient comes from a fixed seed."""
    leaves = [t if t is None else t.detach().requires_grad_(need) for t, need in zip(tensors, requires, strict=True)]
    y = op(*leaves)
    if grad is None:
        grad = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    y.backward(grad.to(y.dtype))
    grads = {name: t.grad for name, t in zip(NAMES[1:], leaves, strict=True) if t is not None and t.grad is not None}
    return {"y": y.detach(), **grads}


def assert_as_good_as_eager(actual, eager_results, expected):
    assert actual.keys() == expected.keys() == eager_results.keys()
    for name, value in expected.items():
        assert actual[name].dtype == torch.float32
        assert actual[name].shape == value.shape
        scale = value.double().square().mean().sqrt()

        def error(result, value=value, scale=scale):
            return ((result.double() - value.double()).square().mean().sqrt() / scale.clamp_min(1e-30)).item()

        assert error(actual[name]) <= 2 * error(eager_results[name]) + FLOOR, name


@pytest.fixture
def _path(path, monkeypatch):
    monkeypatch.setattr(cpu, "_is_small", lambda x, *others: path == "direct" and x.numel() > 0)


@pytest.fixture
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def _nan_filled(monkeypatch):
    """Memory that is read before it is written shows."""
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *a, **k: empty(*a, **k).fill_(float("nan")))


@needs_kernel
@both_paths
@pytest.mark.usefixtures("_path")
@pytest.mark.usefixtures("_threads", "_nan_filled")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_matches_reference(case):
    torch.set_num_threads(case.threads)
    tensors = case.tensors()
    assert_as_good_as_eager(run(fused(case), tensors), run(eager(case), tensors), run(exact(case), tensors))


@needs_kernel
@both_paths
@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("layout", ["channels_last", "expanded", "sliced", "offset", "transposed-grad"])
def test_any_memory_layout(layout):
    case = Case("layout", 4, 32, 16, (3, 3))
    x, *others = case.tensors()
    grad = torch.randn(4, 16, 3, 3)
    if layout == "channels_last":
        x = x.contiguous(memory_format=torch.channels_last)
    elif layout == "expanded":
        x = x[:1].expand(4, -1, -1, -1)
    elif layout == "sliced":
        x = torch.randn(4, 32, 6, 6)[:, :, ::2, 1::2]
    elif layout == "offset":  # channels last, but not at a 64 byte boundary
        x = torch.randn(4 * 9 * 32 + 1)[1:].view(4, 3, 3, 32).permute(0, 3, 1, 2)
    else:
        others = [t.transpose(-1, -2) for t in others[:3]] + others[3:]
        grad = grad.transpose(-1, -2)
    tensors = [x, *others]
    assert_as_good_as_eager(*(run(make(case), tensors, grad) for make in (fused, eager, exact)))


@needs_kernel
@both_paths
@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize(
    "requires", [(0, 1, 1, 1, 1), (0, 0, 1, 1, 0), (0, 0, 0, 1, 0), (1, 0, 0, 0, 0), (0, 0, 0, 0, 1)], ids=str
)
@pytest.mark.parametrize("size", [(2, 2), (4, 4)], ids=str)
def test_only_the_wanted_gradients(requires, size):
    case = Case("partial", 3, 24, 16, size)
    tensors = case.tensors()
    requires = [bool(need) for need in requires]
    actual, ours, expected = (run(make(case), tensors, requires=requires) for make in (fused, eager, exact))
    assert set(actual) == {"y", *(name for name, need in zip(NAMES[1:], requires, strict=True) if need)}
    assert_as_good_as_eager(actual, ours, expected)


@needs_kernel
def test_without_bias_and_without_gradients():
    case = Case("plain", 2, 16, 16, (2, 2))
    tensors = [*case.tensors()[:4], None]
    with torch.inference_mode():
        y = fused(case)(*tensors)
    torch.testing.assert_close(y, exact(case)(*tensors).float())


@needs_kernel
@both_paths
@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("logit", [100.0, -100.0, 39.5, -39.5])
def test_large_logits(logit):
    """Beyond +-40 the exponentials would overflow, and the eager backend serves."""
    case = Case("large", 2, 16, 16, (2, 2))
    tensors = case.tensors()
    tensors[2][0, 3], tensors[3][1, 2], tensors[3][0, 5] = logit, logit, -logit
    assert_as_good_as_eager(run(fused(case), tensors), run(eager(case), tensors), run(exact(case), tensors))


@needs_kernel
@pytest.mark.parametrize("which", range(5))
def test_nan_comes_through(which):
    case = Case("nan", 2, 16, 16, (2, 2))
    tensors = case.tensors()
    tensors[which].view(-1)[0] = float("nan")
    assert fused(case)(*tensors).isnan().any()


@needs_kernel
def test_empty_batch():
    case = Case("empty", 0, 20, 8, (3, 5))
    results = run(fused(case), case.tensors())
    assert results["y"].shape == (0, 8, 3, 5)
    assert results["x"].shape == (0, 20, 3, 5)
    assert (results["weight"] == 0).all()


@needs_kernel
def test_zero_logits_halve_the_plain_convolution():
    x, weight, gate_in, gate_out, _ = Case("zero", 4, 64, 32, (3, 3)).tensors()
    y = gated_conv2d(x, weight, 0 * gate_in, 0 * gate_out, padding=1, backend="cpu")
    torch.testing.assert_close(y, torch.conv2d(x, weight, None, 1, 1) / 2)


@needs_kernel
@pytest.mark.usefixtures("_threads")
def test_forked_workers_run():
    """As data loader workers do: they start after the parent has used its threads, with one thread of their own."""
    case = Case("fork", 4, 64, 64, (3, 3))
    tensors = case.tensors()
    torch.set_num_threads(2)
    expected = fused(case)(*tensors)

    def work():
        torch.set_num_threads(1)
        torch.testing.assert_close(fused(case)(*tensors), expected)

    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join(60)
    if worker.is_alive():
        worker.kill()
    assert worker.exitcode == 0
    torch.testing.assert_close(fused(case)(*tensors), expected)


def test_unsupported_reasons():
    x, weight = torch.zeros(1, 16, 2, 2), torch.zeros(16, 16, 3, 3)
    args = ((1, 1), (1, 1), (1, 1))
    reason = cpu.unsupported_reason
    assert reason(x.double(), weight.double(), *args, 1) == "it takes float32 only (float64 given)"
    assert reason(x, weight.bfloat16(), *args, 1) == "it takes float32 only (bfloat16 given)"
    assert reason(x.to("meta"), weight, *args, 1) == "it runs on the CPU only (meta given)"
    assert reason(x, torch.nn.Parameter(weight), *args, 1) == c_library.why_unavailable()


@needs_kernel
def test_small_maps_are_convolved_directly():
    def is_small(channels, out_channels, size, stride=1, padding=1, groups=1):
        x, weight = torch.empty(8, channels, size, size), torch.empty(out_channels, channels // groups, 3, 3)
        return cpu._is_small(x, weight, (stride, stride), (padding, padding), (1, 1), groups)

    assert is_small(512, 512, 2)
    assert is_small(128, 128, 14)
    assert not is_small(64, 64, 28)
    assert is_small(64, 64, 28, stride=2)  # the output decides
    assert not is_small(3, 64, 8)  # 13 of 16 channels would be padding
    assert not is_small(64, 64, 2, padding=0)  # no output
    assert not is_small(64, 64, 4, groups=2)
