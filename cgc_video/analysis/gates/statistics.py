"""Class centres of modulated kernels, and how far apart they lie (A.1).

Two passes over the samples: the first finds each class's mean kernel, the second the mean distance of its samples to it. What is kept is one kernel
per class; above ``IN_MEMORY`` bytes it lies in a file, so that memory depends neither on the samples nor on the classes.

Source: Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 4.2 ("Analysis of the Gate") and A.1, Fig. 5.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ...errors import UserError
from .kernels import SampleGate

__all__ = ["GateStatistics", "gate_statistics", "inter_class_distances"]

IN_MEMORY = 2**30  # bytes of class centres kept in memory
_COLUMNS = 2**16  # entries of the kernels taken at a time where centres are compared


@dataclass
class GateStatistics:
    """Of the ``K`` classes that have samples, in label order.

    Attributes:
        labels: ``(K,)``.
        counts: Samples per class, ``(K,)``.
        inter: L2 distances between the class centres, ``(K, K)``.
        intra: Mean L2 distance of a class's samples to its centre, ``(K,)``.
        over_time: Mean gate per class, frame and kernel tap, ``(K, T, kh * kw)``.
    """

    labels: np.ndarray
    counts: np.ndarray
    inter: np.ndarray
    intra: np.ndarray
    over_time: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """``inter - intra`` of the row's class, ``(K, K)``, the matrix of Fig. 5; the diagonal means nothing."""
        return self.inter - self.intra[:, None]

    @property
    def share(self) -> float:
        """Share of the ordered pairs of classes whose centres lie farther apart than the first one's samples from theirs."""
        others = ~np.eye(len(self.labels), dtype=bool)
        return float((self.difference[others] > 0).mean())


def gate_statistics(samples: Callable[[], Iterable[SampleGate]], num_classes: int) -> GateStatistics:
    """Compare the classes of a set of samples.

    Args:
        samples: Gives the samples anew at each call, the same ones; called twice.

    Raises:
        UserError: If fewer than two classes have samples.
    """
    counts, centres, over_time = _means(samples(), num_classes)
    labels = np.flatnonzero(counts)
    if len(labels) < 2:
        raise UserError(f"the samples are of {len(labels)} class(es); comparing classes takes two.")
    distances = np.zeros(num_classes)
    for sample in samples():
        distances[sample.label] += np.linalg.norm(sample.kernel - centres[sample.label])
    intra = distances[labels] / counts[labels]
    return GateStatistics(labels, counts[labels], inter_class_distances(centres, labels), intra, over_time[labels])


def _means(samples: Iterable[SampleGate], num_classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    counts = np.zeros(num_classes, dtype=np.int64)
    centres = over_time = np.zeros(0)
    for sample in samples:
        if not len(over_time):
            centres = _zeros((num_classes, len(sample.kernel)))
            over_time = np.zeros((num_classes, *sample.over_time.shape))
        counts[sample.label] += 1
        centres[sample.label] += (sample.kernel - centres[sample.label]) / counts[sample.label]
        over_time[sample.label] += (sample.over_time - over_time[sample.label]) / counts[sample.label]
    return counts, centres, over_time


def _zeros(shape: tuple[int, int]) -> np.ndarray:
    if 4 * shape[0] * shape[1] <= IN_MEMORY:
        return np.zeros(shape, np.float32)
    return np.memmap(tempfile.TemporaryFile(), np.float32, "w+", shape=shape)  # the file goes with its last reference


def inter_class_distances(centres: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """L2 distances ``(K, K)`` between some rows of ``centres``.

    Centres are alike, so that their common mean is taken away before products are formed; sums run in float64.
    """
    gram = np.zeros((len(labels), len(labels)))
    for start in range(0, centres.shape[1], _COLUMNS):
        block = np.asarray(centres[:, start : start + _COLUMNS][labels], np.float64)
        block -= block.mean(axis=0)
        gram += block @ block.T
    squares = np.diag(gram)
    return np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * gram, 0))
