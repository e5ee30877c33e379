"""Whether an exported file computes what the network does."""

from collections.abc import Callable

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from .interface import Interface

__all__ = ["TOLERANCE", "largest_difference", "random_pixels", "relative_difference"]

TOLERANCE = 1e-4
_BATCHES = (1, 2)

Run = Callable[[np.ndarray], np.ndarray]


def largest_difference(run: Run, model: nn.Module, interface: Interface, batches: tuple[int, ...] = _BATCHES) -> float:
    """The largest relative difference between a file's outputs and those of ``test_step``, over random samples.

    Args:
        run: Maps a batch of pixels to outputs, by the file.
        batches: Sizes of the batches that are tried.
    """
    generator = torch.Generator().manual_seed(0)
    differences = []
    for size in batches:
        pixels = random_pixels(size, interface, generator)
        with torch.no_grad():
            samples = [ActionDataSample() for _ in pixels]
            scored = model.test_step({"inputs": list(pixels), "data_samples": samples})
        expected = np.stack([sample.pred_score.numpy() for sample in scored])
        differences.append(relative_difference(run(pixels.numpy()), expected))
    return max(differences)


def relative_difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """The largest ``|actual - expected|`` of rows of outputs, each relative to the smaller of its value and the spread of its row.

    An untrained network gives all classes nearly one probability: relative to the spread, its difference is that of the scores behind
    it. Values below 1e-6 count as 1e-6. NaN and shapes that disagree count as infinite.
    """
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return float("inf")
    spread = np.ptp(expected, axis=1, keepdims=True)
    scale = np.maximum(np.minimum(np.abs(expected), spread), 1e-6)
    return float((np.abs(actual.astype(np.float64) - expected) / scale).max())


def random_pixels(batch: int, interface: Interface, generator: torch.Generator) -> Tensor:
    """Noise around a grey that differs from sample to sample, frame to frame and half to half, so that contexts differ, too."""
    shape = (batch, *interface.shape)
    noise = torch.randint(0, 128, shape, generator=generator, dtype=torch.uint8)
    level = torch.randint(0, 128, (*shape[:-1], 1), generator=generator, dtype=torch.uint8)
    level[..., : shape[-2] // 2, :] //= 3
    return noise + level
