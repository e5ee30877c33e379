"""The modulated kernel of each sample at one layer, one sample at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..layers import find_gated_layer

__all__ = ["SampleGate", "sample_gates"]


@dataclass
class SampleGate:
    """What a layer's gate made of one sample.

    Attributes:
        label: The sample's class.
        kernel: The modulated kernel, flat, ``(O * C * kh * kw,)`` float32: the mean over the sample's frames and views.
        over_time: The mean gate of each kernel tap at each frame, ``(T, kh * kw)``; ``T`` is 1 where the gate is one per sample.
    """

    label: int
    kernel: np.ndarray
    over_time: np.ndarray


@torch.no_grad()
def sample_gates(model: nn.Module, layer_name: str, batches: Iterable[dict]) -> Iterator[SampleGate]:
    """Send batches through a model in evaluation mode and yield what the gate of a layer makes of each sample.

    Args:
        layer_name: A gated layer.
        batches: As a data loader of the model's data gives them.

    Raises:
        UserError: If there is no such layer, or it has no gate.
    """
    layer = find_gated_layer(model, layer_name)
    inputs: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    try:
        for batch in batches:
            inputs.clear()
            data = model.data_preprocessor(batch, training=False)
            model(**data, mode="tensor")
            # a layer that runs more than once per pass (it does not in our models) would show its last input
            parts = inputs[-1].chunk(len(data["data_samples"]))
            for part, sample in zip(parts, data["data_samples"], strict=True):
                yield _of_sample(layer, part, int(sample.gt_label))
    finally:
        handle.remove()


def _of_sample(layer: nn.Module, x: Tensor, label: int) -> SampleGate:
    """``x`` holds the frames or clips of all views of one sample."""
    gates = layer.gates(x)  # (views * T, O, C / groups, kh, kw)
    weight = layer.weight.view(*layer.weight.shape[:2], *gates.shape[3:])
    num_frames = getattr(layer, "num_segments", None) or (x.shape[2] if x.dim() == 5 else 1)
    num_frames = num_frames if len(gates) % num_frames == 0 else 1  # one gate per sample
    over_time = gates.mean((1, 2)).flatten(1).unflatten(0, (-1, num_frames)).mean(0)
    kernel = (weight * gates.mean(0)).flatten()
    return SampleGate(label, kernel.float().cpu().numpy(), over_time.float().cpu().numpy())
