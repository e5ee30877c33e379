"""Batches of sentences of like length, counted in tokens, for MMEngine's data loader."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmaction.registry import DATA_SAMPLERS
from mmengine.dataset import DefaultSampler
from mmengine.registry import FUNCTIONS
from mmengine.structures import BaseDataElement
from torch import Tensor
from torch.utils.data import Sampler

from ..errors import UserError
from .special_tokens import EOS, PAD

__all__ = ["IGNORED", "TokenBatchSampler", "collate_pairs", "collate_tags", "length_buckets"]

IGNORED = -100  # a target that is neither trained nor scored


def length_buckets(
    lengths: np.ndarray, max_tokens: int, max_sentences: int | None = None, seed: int | None = None
) -> list[list[int]]:
    """Cut the sentences, sorted by length, into batches.

    Args:
        lengths: Tokens of each side, ``(sentences, sides)``.
        max_tokens: Most tokens of a batch on each side, padding included.
        max_sentences: Most sentences of a batch.
        seed: Shuffles sentences of one length before they are cut; None keeps their order.
    Returns:
        Indices of each batch; every sentence is in exactly one.
    Raises:
        UserError: If a sentence has more than ``max_tokens`` tokens.
    """
    longest = lengths.max(axis=1)
    if (longest > max_tokens).any():
        worst = int(longest.argmax())
        raise UserError(
            f"sentence {worst + 1} has {longest[worst]} tokens, more than max_tokens ({max_tokens}) of a batch; raise "
            "batch_sampler.max_tokens, or shorten the sentence."
        )
    order = np.arange(len(lengths)) if seed is None else np.random.default_rng(seed).permutation(len(lengths))
    order = order[np.lexsort([lengths[order, side] for side in range(lengths.shape[1])])]  # the last side first
    batches: list[list[int]] = [[]]
    width = 0
    for index in order.tolist():
        width = max(width, int(longest[index]))
        batch = batches[-1]
        if (len(batch) + 1) * width > max_tokens or len(batch) == max_sentences:
            batches.append([])
            width = int(longest[index])
        batches[-1].append(index)
    return batches


@DATA_SAMPLERS.register_module()
class TokenBatchSampler(Sampler):
    """Deals batches of ``length_buckets`` to the processes; a ``batch_sampler`` over MMEngine's ``DefaultSampler``.

    Batches are cut once, by the sampler's seed. With ``shuffle=True`` of the sampler, each epoch deals them in an
    order of its own, which depends on seed and epoch alone, and deals all processes equally many: the last round is
    filled up with batches of its beginning. Without, as in a test, none is repeated, and a process may get one less.

    Args:
        sampler: Gives data set, seed, epoch, and this process's place among others.
        batch_size: Most sentences of a batch; None leaves it to ``max_tokens``.
        max_tokens: Most tokens of a batch on each side, padding included (4,000 in Sec. 4.4's protocol).
    """

    def __init__(self, sampler: DefaultSampler, batch_size: int | None = None, max_tokens: int = 4000) -> None:
        if not hasattr(sampler.dataset, "lengths"):
            raise UserError(
                f"TokenBatchSampler needs the lengths of the sentences, which {type(sampler.dataset).__name__} "
                "does not tell; use it with a data set of cgc_video.translation."
            )
        self.sampler, self.batch_size, self.max_tokens = sampler, batch_size, max_tokens
        self._cut: tuple[int | None, list[list[int]]] | None = None
        self._skipped = 0
        len(self)  # sentences that are too long are refused at once

    @property
    def batches(self) -> list[list[int]]:
        """All batches, by the sampler's seed, which a run that is resumed takes from its checkpoint."""
        seed = self.sampler.seed if self.sampler.shuffle else None
        if self._cut is None or self._cut[0] != seed:
            self._cut = seed, length_buckets(self.sampler.dataset.lengths, self.max_tokens, self.batch_size, seed)
        return self._cut[1]

    def __len__(self) -> int:
        """Batches of an epoch for this process."""
        return len(self._own(np.arange(len(self.batches))))

    def __iter__(self) -> Iterator[list[int]]:
        skipped, self._skipped = self._skipped, 0
        batches = self.batches
        order = np.arange(len(batches))
        if self.sampler.shuffle:
            order = np.random.default_rng([self.sampler.seed, self.sampler.epoch]).permutation(order)
        for position in self._own(order)[skipped:]:
            yield batches[position]

    def skip(self, batches: int) -> None:
        """Leave out the first batches of the next epoch, which a resumed run has had already."""
        self._skipped = batches

    def _own(self, order: np.ndarray) -> np.ndarray:
        if self.sampler.round_up and self.sampler.shuffle:
            order = np.resize(order, -(-len(order) // self.sampler.world_size) * self.sampler.world_size)
        return order[self.sampler.rank :: self.sampler.world_size]


@FUNCTIONS.register_module()
def collate_pairs(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A batch for ``TranslationModel``.

    Returns:
        ``source`` ``(B, S)``, ``target_input`` ``(B, T)``, which starts with ``</s>``, and ``target`` ``(B, T)``,
        which ends with it: int64, padded by 1 on the right; and ``data_samples`` with ``reference`` and ``index``.
    """
    targets = [sample["target"] for sample in samples]
    return {
        "source": pad([sample["source"] for sample in samples], PAD),
        "target_input": pad([np.concatenate([[EOS], target[:-1]]) for target in targets], PAD),
        "target": pad(targets, PAD),
        "data_samples": [BaseDataElement(reference=sample["reference"], index=sample["index"]) for sample in samples],
    }


@FUNCTIONS.register_module()
def collate_tags(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A batch for ``TaggingModel``: ``source`` and ``target`` ``(B, S)``, ``target`` -100 where it is not scored;
    ``data_samples`` hold the latter as ``gt_tags``."""
    targets = [sample["target"] for sample in samples]
    return {
        "source": pad([sample["source"] for sample in samples], PAD),
        "target": pad(targets, IGNORED),
        "data_samples": [
            BaseDataElement(gt_tags=torch.from_numpy(target), index=sample["index"])
            for sample, target in zip(samples, targets, strict=True)
        ],
    }


def pad(rows: Sequence[np.ndarray], value: int) -> Tensor:
    """Rows of different lengths as one tensor, filled with ``value`` on the right."""
    filled = np.full((len(rows), max(map(len, rows))), value, np.int64)
    for row, numbers in zip(filled, rows, strict=True):
        row[: len(numbers)] = numbers
    return torch.from_numpy(filled)
