"""What must hold before anything is timed: the op is right, and all formulations compute the same."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from cgc_video.errors import UserError
from cgc_video.ops import gated_conv2d, gated_conv2d_reference
from cgc_video.testing import CASES, FLOOR, rms_error, run_with_grads

from .formulations import get_formulation
from .layer_cases import LayerCase
from .settings import Settings

__all__ = ["AGREEMENT", "check_formulations", "check_op"]

# Largest relative rms difference between two formulations, for the output and every gradient. Measured between ours and the others on
# the layers of ResNet-50 at 112 squared: up to 1.1e-6 in float32. The half types get ten roundings of every element (1.7e-3 and 2.1e-4
# each), since formulations may round kernels and gradients at different places.
AGREEMENT = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 2e-2}

_SLICE_BYTES = 64 * 2**20  # materialised kernels of one slice of samples


def check_op(settings: Settings) -> int:
    """Hold ``gated_conv2d`` on the device to the reference in float64, for every case of ``cgc_video.testing``.

    The rule is the tests': at most twice the error of the reference in the same dtype, plus a floor, for the output and each
    gradient; in float32, and in the dtype of ``--amp`` if there is one.

    Returns:
        The number of cases.

    Raises:
        UserError: If the op is further off; it names the case and the tensor.
    """
    with _full_precision():
        for dtype, case in itertools.product(dict.fromkeys((torch.float32, settings.dtype)), CASES):
            tensors = case.tensors(dtype, device=settings.device)
            actual = run_with_grads(gated_conv2d, tensors, **case.conv_args)
            plain = run_with_grads(gated_conv2d_reference, tensors, **case.conv_args)
            exact_tensors = case.tensors(dtype, compute=torch.float64, device=settings.device)
            exact = run_with_grads(gated_conv2d_reference, exact_tensors, **case.conv_args)
            for name in exact:
                limit = 2 * rms_error(plain[name], exact[name]) + FLOOR[dtype]
                _compare(f"gated_conv2d, case {case.name}, {dtype}", name, actual[name], exact[name], limit)
    return len(CASES)


def check_formulations(layers: Iterable[LayerCase], formulations: Sequence[str], settings: Settings) -> int:
    """Hold every formulation but ``plain`` to ``ours`` on real shapes, output and gradients, within ``AGREEMENT``.

    Formulations other than ``ours`` take a few samples at a time, so that their kernels fit.

    Returns:
        The number of layers.

    Raises:
        UserError: If two differ by more; it names the formulation, the layer and the tensor.
    """
    layers, others = list(layers), [name for name in formulations if name not in ("plain", "ours")]
    for layer in layers if others else ():
        with _full_precision():
            ours = _run_in_slices(get_formulation("ours"), layer, layer.conv.batch, settings)
            step = max(1, _SLICE_BYTES * layer.conv.batch // max(1, layer.needed_bytes("grouped", training=False)))
            for other in others:
                try:
                    results = _run_in_slices(get_formulation(other), layer, step, settings)
                except ValueError as error:  # a named backend that does not serve this layer; the run will say so
                    if "cannot run this call" not in str(error):
                        raise
                    continue
                for name in ours:
                    title = f"{other} against ours, layer {layer.name}"
                    _compare(title, name, results[name], ours[name], AGREEMENT[settings.dtype])
    return len(layers) if others else 0


def _compare(title: str, name: str, actual: Tensor, expected: Tensor, limit: float) -> None:
    if actual.shape != expected.shape:
        raise UserError(
            f"{title}: {name} has shape {tuple(actual.shape)}, not {tuple(expected.shape)}; nothing was timed."
        )
    error = rms_error(actual, expected) if expected.numel() else 0.0
    if not error <= limit:  # NaN fails
        raise UserError(
            f"{title}: {name} is off by {error:.1e} (relative rms), and {limit:.1e} is allowed; nothing was timed."
        )


def _run_in_slices(
    function: Callable[..., Tensor], layer: LayerCase, step: int, settings: Settings
) -> dict[str, Tensor]:
    """Output and gradients of a layer, ``step`` samples at a time; the kernel's gradient is summed over the slices."""
    tensors, grad = layer.operands(settings), layer.output_grad(settings)
    weight, bias = tensors["weight"], tensors.get("bias")
    per_sample = [name for name in ("x", "gate_in", "gate_out") if name in tensors]
    results: dict[str, list[Tensor]] = {}
    for start in range(0, layer.conv.batch, step):
        part = {name: tensors[name][start : start + step].detach() for name in per_sample}
        leaves = {name: t.requires_grad_() for name, t in part.items() if tensors[name].requires_grad}
        leaves["weight"] = weight
        with settings.autocast():
            y = partial(function, bias=bias, **layer.conv.conv_args)(
                part["x"], weight, part["gate_in"], part["gate_out"]
            )
        gradients = torch.autograd.grad(y, list(leaves.values()), grad[start : start + step])
        for name, value in {"y": y.detach(), **dict(zip(leaves, gradients, strict=True))}.items():
            results.setdefault(name, []).append(value)
    return {name: sum(parts) if name == "weight" else torch.cat(parts) for name, parts in results.items()}


@contextmanager
def _full_precision() -> Iterator[None]:
    """Products in float32 where they are float32, also on a GPU that would round them to TF32."""
    backends = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [backend.allow_tf32 for backend in backends]
    for backend in backends:
        backend.allow_tf32 = False
    try:
        yield
    finally:
        for backend, allowed in zip(backends, before, strict=True):
            backend.allow_tf32 = allowed
