"""Parameters and multiply-adds of a model, by stage and by part."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from cgc_video.layers import ContextGate
from cgc_video.layers.context_gated_conv import ContextGatedConv

from .op_calls import OpCall

__all__ = ["COUNTING_RULE", "PARTS", "Complexity", "Share", "count_complexity", "count_parameters", "multiply_adds"]

COUNTING_RULE = (
    "Multiply-adds of one view in evaluation mode: every multiplication of a convolution (taps on the padding included), of a "
    "linear layer, of another matrix product and of an elementwise product of two tensors, each together with the addition that "
    "may follow it. The modulation W * G counts one per kernel element and gate (one gate per sample; under 3D context, per "
    "frame). Norms, biases, activations, pooling, interpolation and sums count nothing."
)

_GATE = "gate: "
PARTS = (
    *("convolution", "linear", "norm", "other"),
    *(f"{_GATE}{step}" for step in ("encode", "interact", "decode", "norm", "modulate")),
)
_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm)


@dataclass(frozen=True)
class Share:
    """What one part of one stage has: parameters, and multiply-adds by ``COUNTING_RULE``."""

    stage: str
    part: str
    parameters: int
    macs: int


@dataclass(frozen=True)
class Complexity:
    """The shares of a model, by stage in its own order, and in a stage by part in the order of ``PARTS``."""

    shares: tuple[Share, ...]

    @property
    def parameters(self) -> int:
        return sum(share.parameters for share in self.shares)

    @property
    def macs(self) -> int:
        return sum(share.macs for share in self.shares)

    @property
    def gates(self) -> "Complexity":
        """The gates alone."""
        return Complexity(tuple(share for share in self.shares if share.part.startswith(_GATE)))

    def by_stage(self) -> dict[str, "Complexity"]:
        stages = dict.fromkeys(share.stage for share in self.shares)
        return {stage: Complexity(tuple(s for s in self.shares if s.stage == stage)) for stage in stages}

    def by_part(self) -> dict[str, "Complexity"]:
        groups = {part: Complexity(tuple(s for s in self.shares if s.part == part)) for part in PARTS}
        return {part: group for part, group in groups.items() if group.shares}


def count_parameters(model: nn.Module, trainable_only: bool = False) -> int:
    """Number of parameters, each counted once even where modules share it; buffers do not count."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable_only)


def count_complexity(model: nn.Module, calls: Iterable[OpCall]) -> Complexity:
    """Count a model by stage and part.

    Args:
        calls: What :func:`.op_calls.record_ops` wrote down while the model ran on one view.
    """
    modules = dict(model.named_modules())
    parts = {name: _part(name, modules) for name in modules}
    parameters: Counter[tuple[str, str]] = Counter()
    for name, parameter in model.named_parameters():  # one that is shared comes once
        module = name.rpartition(".")[0]
        parameters[_stage(module), parts[module]] += parameter.numel()
    macs: Counter[tuple[str, str]] = Counter()
    for call in calls:
        for part, count in _by_part(call, modules[call.module], parts[call.module]):
            macs[_stage(call.module), part] += count
    stages = dict.fromkeys(map(_stage, modules))
    keys = [(stage, part) for stage in stages for part in PARTS if parameters[stage, part] or macs[stage, part]]
    return Complexity(tuple(Share(*key, parameters[key], macs[key]) for key in keys))


def multiply_adds(call: OpCall) -> int:
    """Multiply-adds of an op by ``COUNTING_RULE``; of a gated convolution, those of the plain one."""
    if call.op in ("aten.convolution", "cgc_video.gated_conv2d"):
        return prod(call.output) * prod(call.inputs[1][1:])  # (C_in / groups, *K) for each element
    if call.op in ("aten.mm", "aten.bmm", "aten.addmm", "aten.baddbmm"):
        return prod(call.output) * call.inputs[-1][-2]  # (..., inner, columns) comes last
    if call.op in ("aten.mul", "aten.mul_") and len(call.inputs) == 2 and all(call.inputs):
        return prod(call.output)
    return 0


def _by_part(call: OpCall, module: nn.Module, part: str) -> Iterator[tuple[str, int]]:
    count = multiply_adds(call)
    if "conv" in call.op:
        yield "convolution", count
        if call.op == "cgc_video.gated_conv2d":
            yield f"{_GATE}modulate", call.output[0] * prod(call.inputs[1])
    elif not isinstance(module, ContextGatedConv):
        yield ("other" if part in ("convolution", "norm") else part), count
    elif "mul" in call.op:  # the kernels of a gate that is a product
        yield f"{_GATE}modulate", count
    else:  # logits interpolated to the frames
        yield f"{_GATE}decode", count


def _part(name: str, modules: dict[str, nn.Module]) -> str:
    """The part to which a module's parameters belong."""
    gate, _, child = name.rpartition(".")
    if isinstance(modules.get(gate), ContextGate):
        return _GATE + child.partition("_")[0]  # encode_mid, decode_in, norm_out ...
    module = modules[name]
    if isinstance(module, _ConvNd):
        return "convolution"
    if isinstance(module, nn.Linear):
        return "linear"
    return "norm" if isinstance(module, _NORMS) else "other"


def _stage(name: str) -> str:
    """``stem``, ``stage 1`` and so on of a backbone, ``head``; the outermost module's name elsewhere."""
    first = name.partition(".")[0]
    if first == "backbone":
        found = re.match(r"backbone\.layer(\d+)", name)
        return f"stage {found.group(1)}" if found else "stem"
    return "head" if first in ("head", "cls_head") else first or "model"
