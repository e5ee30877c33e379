"""The counting rule behind the paper's delta-MFLOPs, as its own numbers give it away.

Table 3(a) states the same cost for ``g = 1``, for ``h' = 2 k1`` and for the default, which no count of multiplications can; and "Two
Es" costs the sum of ``C ** 2`` over the layers, whatever the sizes that ``E`` maps. Both follow from a counter that hooks modules, as
public ones of 2019 did (flops-counter.pytorch among them), and that takes the first two axes of a linear layer's tensors for its sizes.
"""

from collections.abc import Sequence
from math import prod

from torch import nn

from cgc_video.evaluation.complexity import multiply_adds
from cgc_video.evaluation.op_calls import OpCall
from cgc_video.layers import ChannelInteraction

__all__ = ["PAPER_RULE", "count_by_paper_rule"]

PAPER_RULE = (
    "A convolution's multiply-adds; two per element of a 2D norm; one per element that a ReLU returns; one per element that a "
    "pooling takes in, the context's too; for a linear layer axis 1 of its input times axis 1 of its output, which is C * C for E "
    "and D_c, O * O for D_o and g * g for I, whatever their sizes. Nothing for 1D norms, sigmoids, W * G and other products. Totals "
    "are cut to 0.001 M before they are subtracted. So it counts reads (1.05 of the 1.68 M of ResNet-110 + CGC are the pooling's), "
    "where our rule counts what is multiplied, most of it W * G. It gives every row of Table 3(a) to the last decimal but two, whose "
    "notes say why."
)

_POOLS = ("aten._adaptive_avg_pool2d", "aten.adaptive_max_pool2d", "aten.max_pool2d_with_indices", "aten.avg_pool2d")


def count_by_paper_rule(model: nn.Module, calls: Sequence[OpCall]) -> int:
    """Multiply-adds of one image by ``PAPER_RULE``.

    Args:
        calls: What :func:`cgc_video.evaluation.op_calls.record_ops` wrote down of the model.
    """
    modules = dict(model.named_modules())
    return sum(_count(call, modules[call.module]) for call in calls)


def _count(call: OpCall, module: nn.Module) -> int:
    if "conv" in call.op:
        return multiply_adds(call)
    if call.op == "nn.BatchNorm2d":
        return 2 * prod(call.output)
    if call.op in ("aten.relu", "aten.relu_"):
        return prod(call.output)
    if call.op in _POOLS or (call.op in ("aten.mean", "aten.amax") and _over_space(call)):
        return prod(call.inputs[0])
    if call.op.startswith("nn.") and isinstance(module, ChannelInteraction):
        return module.groups**2  # there laid out as (N, g, D, C / g)
    if call.op.startswith("nn.") and isinstance(module, nn.Linear):
        return call.inputs[0][1] * call.output[1]
    return 0


def _over_space(call: OpCall) -> bool:
    """Whether a reduction is a global pooling, ``(N, C, H, W)`` or ``(N, C, H * W)`` to one value per channel."""
    x, y = call.inputs[0], call.output
    return len(x) > 2 and y[:2] == x[:2] and prod(y[2:]) == 1
