"""The evaluator of a test that leaves out files that cannot be decoded (``skip_bad``), and states how many were scored."""

import logging
from collections.abc import Sequence
from typing import Any

from mmaction.registry import EVALUATOR
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement

from ..datasets.faults import SKIPPED
from ..errors import UserError

__all__ = ["ScoredClips"]

_NAMED_PATHS = 10


@EVALUATOR.register_module()
class ScoredClips(Evaluator):
    """Drops stand-ins of bad files before any metric sees them, so that metrics count the clips that were really scored.

    Adds ``scored/clips`` and ``scored/skipped`` to the metrics, and logs both with the paths. Each metric must keep one result per data
    sample, as those of MMAction2 do.

    Args:
        metrics: As for MMEngine's ``Evaluator``.

    Attributes:
        skipped: Paths of the files that the last evaluation left out, of all ranks.
    """

    def __init__(self, metrics: Any) -> None:
        super().__init__(metrics)
        self.skipped: list[str] = []
        self._restart()

    def _restart(self) -> None:
        self._seen = 0
        self._kept: list[int] = []  # positions in the data set, as the sampler deals them out in turn
        self._left_out: dict[int, str] = {}

    def process(self, data_samples: Sequence[BaseDataElement | dict], data_batch: Any = None) -> None:
        """As the base class, without flagged samples; these are taken out of ``data_batch``, too."""
        rank, world_size = get_dist_info()
        paths = [sample.get(SKIPPED) for sample in data_samples]
        for path in paths:
            position = rank + self._seen * world_size
            self._seen += 1
            if path is None:
                self._kept.append(position)
            else:
                self._left_out[position] = path
        keep = [path is None for path in paths]
        if not any(keep):
            return
        if not all(keep):
            data_samples = [sample for sample, kept in zip(data_samples, keep, strict=True) if kept]
            data_batch = _select(data_batch, keep)
        super().process(data_samples, data_batch)

    def evaluate(self, size: int) -> dict:
        """Metrics over the scored clips.

        Args:
            size: Length of the data set, skipped files included.
        Raises:
            UserError: If no clip was scored.
        """
        left_out = {position: path for part in all_gather_object(self._left_out) for position, path in part.items()}
        # behind the last sample, a sampler repeats samples until all ranks have as many
        self.skipped = [left_out[position] for position in sorted(left_out) if position < size]
        scored = size - len(self.skipped)
        if not scored:
            raise UserError(f"none of the {size} clips could be scored; tools/data/check.py LIST says why.")
        if left_out and get_dist_info()[1] > 1:
            for metric in self.metrics:
                _deal_again(metric, self._kept, size)
        metrics = super().evaluate(scored)
        self._restart()
        if self.skipped:
            more = f" and {len(self.skipped) - _NAMED_PATHS} more" if len(self.skipped) > _NAMED_PATHS else ""
            named = ", ".join(self.skipped[:_NAMED_PATHS]) + more
            print_log(f"{scored} of {size} clips scored; skipped: {named}.", logger="current", level=logging.WARNING)
        return {**metrics, "scored/clips": scored, "scored/skipped": len(self.skipped)}


def _deal_again(metric: Any, positions: list[int], size: int) -> None:
    """Deal a metric's results out to the ranks as a sampler deals a data set without the skipped files.

    A metric gathers results by taking one of each rank in turn, up to the shortest, and cuts the end off: it would lose results of a rank
    that skipped fewer files than another, and keep repeated ones.
    """
    if len(metric.results) != len(positions):
        raise RuntimeError(
            f"{type(metric).__name__} keeps {len(metric.results)} results of {len(positions)} clips; skip_bad needs one per clip."
        )
    parts = all_gather_object(list(zip(positions, metric.results, strict=True)))
    ordered = sorted((pair for part in parts for pair in part if pair[0] < size), key=lambda pair: pair[0])
    rank, world_size = get_dist_info()
    ordered += ordered[:1] * (-len(ordered) % world_size)
    metric.results[:] = [result for _, result in ordered[rank::world_size]]


def _select(batch: Any, keep: list[bool]) -> Any:
    """The kept samples of a batch of nested dicts over lists with one entry per sample."""
    if isinstance(batch, dict):
        return {key: _select(value, keep) for key, value in batch.items()}
    if isinstance(batch, list | tuple) and len(batch) == len(keep):
        return [entry for entry, kept in zip(batch, keep, strict=True) if kept]
    return batch
