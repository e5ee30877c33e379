"""Random numbers of a training sample that depend on seed, epoch and its place in the epoch, and on nothing else.

MMEngine seeds each loader worker once: what a sample draws then depends on which worker decodes it, and on all that this worker did before,
which no checkpoint holds. Here a sampler hands each sample its own seed, so that any number of workers, and a run that is resumed,
see the same samples.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from mmaction.registry import DATA_SAMPLERS
from mmengine.dataset import DefaultSampler
from torch.utils.data import get_worker_info

__all__ = ["ResumableSampler", "SampleIndex", "SeededSamples", "preserved_random_states", "seeds_lost"]

Seed = tuple[int, ...]
# MMEngine's wrappers that reach a sample by arithmetic on its index, or as it is
_SEED_KEEPING_WRAPPERS = {"ConcatDataset", "RepeatDataset", "_SlicedDataset"}


class SampleIndex(int):
    """An index into a data set, with the seed of the sample; wrappers that compute with it (repeating, concatenating) keep the seed."""

    seed: Seed

    def __new__(cls, index: int, seed: Seed) -> "SampleIndex":
        made = super().__new__(cls, index)
        made.seed = seed
        return made

    def __mod__(self, length: int) -> "SampleIndex":
        return SampleIndex(int(self) % length, self.seed)

    def __sub__(self, offset: int) -> "SampleIndex":
        return SampleIndex(int(self) - offset, self.seed)

    def __reduce__(self) -> tuple:
        return SampleIndex, (int(self), self.seed)


@DATA_SAMPLERS.register_module()
class ResumableSampler(DefaultSampler):
    """MMEngine's ``DefaultSampler``, in the same order, with a seed for each sample, and able to start inside an epoch.

    Args:
        Those of ``DefaultSampler``: dataset, shuffle, seed, round_up.
    """

    _skipped = 0

    def skip(self, samples: int) -> None:
        """Leave out the first samples of this process in the next epoch, which a resumed run has had already; none is decoded."""
        self._skipped = samples

    def __iter__(self) -> Iterator[int]:
        skipped, self._skipped = self._skipped, 0
        indices = list(super().__iter__())
        return (
            SampleIndex(index, (self.seed, self.epoch, self.rank + turn * self.world_size))
            for turn, index in enumerate(indices[skipped:], start=skipped)
        )


class SeededSamples:
    """A mixin for MMEngine's ``BaseDataset``, before it: a sample asked for by ``SampleIndex`` draws from the seed of that index.

    Each sample that takes the place of one that cannot be decoded starts from a seed of its own, so that it does not matter how much the
    bad one drew, or whether it was known to be bad.
    """

    _seed: Seed | None = None
    _attempt = 0

    def __getitem__(self, idx: int) -> Any:
        seed = getattr(idx, "seed", None)
        if seed is None:
            return super().__getitem__(idx)  # type: ignore[misc]
        in_worker = get_worker_info() is not None  # where nothing else draws
        with nullcontext() if in_worker else preserved_random_states():
            self._seed, self._attempt = seed, 0
            _set_seed(seed)
            try:
                return super().__getitem__(int(idx))  # type: ignore[misc]
            finally:
                self._seed = None

    def _rand_another(self) -> int:
        if self._seed is not None:
            self._attempt += 1
            _set_seed((*self._seed, self._attempt))
        return super()._rand_another()  # type: ignore[misc]


def _set_seed(seed: Seed) -> None:
    words = np.random.SeedSequence(seed).generate_state(4)
    random.seed(int(words[0]))
    np.random.seed(words[1])
    torch.default_generator.manual_seed(
        int(words[2]) << 32 | int(words[3])
    )  # of the CPU alone: a worker must not wake CUDA


@contextmanager
def preserved_random_states() -> Iterator[None]:
    """Whatever is drawn inside, on the CPU, leaves Python's, numpy's and torch's random states as they were."""
    states = random.getstate(), np.random.get_state(), torch.default_generator.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.default_generator.set_state(states[2])


def seeds_lost(dataset: Any) -> str | None:
    """The type of the part of a data set that draws for its samples without taking their seeds; None if there is none."""
    parts = getattr(dataset, "datasets", None) or [
        part for part in [getattr(dataset, "dataset", None)] if part is not None
    ]
    if not parts:
        draws = hasattr(dataset, "pipeline") and not isinstance(dataset, SeededSamples)
        return type(dataset).__name__ if draws else None
    if type(dataset).__name__ not in _SEED_KEEPING_WRAPPERS:
        return type(dataset).__name__
    return next((lost for part in parts if (lost := seeds_lost(part)) is not None), None)
