"""The evaluator of a test that leaves out files that cannot be decoded, or counts them as wrong; states how many there were."""

import logging
from collections.abc import Sequence
from typing import Any

from mmaction.registry import EVALUATOR
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..datasets.faults import COUNTED_WRONG, SKIPPED
from ..errors import UserError

__all__ = ["ScoredClips"]

_NAMED_PATHS = 10


@EVALUATOR.register_module()
class ScoredClips(Evaluator):
    """Drops stand-ins of bad files before any metric sees them (``skip_bad``), so that metrics count the clips that were really scored.

    With ``bad_counts_as_wrong`` metrics do see the stand-in, with the label of the bad file and scores that rank this label last: top-k
    counts it as wrong, wherever there are more than k classes, and a confusion matrix as the first class that is not right.

    Adds ``scored/clips``, and ``scored/skipped`` or ``scored/counted_wrong``, to the metrics, and logs both with the paths. Each metric must
    keep one result per data sample, as those of MMAction2 do.

    Args:
        metrics: As for MMEngine's ``Evaluator``.
        unit: What a sample is, for the log.

    Attributes:
        skipped: Paths of the files that the last evaluation left out, of all ranks.
        counted_wrong: Paths of those that it counted as wrong.
    """

    def __init__(self, metrics: Any, unit: str = "clip") -> None:
        super().__init__(metrics)
        self.unit = unit
        self.skipped: list[str] = []
        self.counted_wrong: list[str] = []
        self._restart()

    def _restart(self) -> None:
        self._seen = 0
        self._kept: list[int] = []  # positions in the data set, as the sampler deals them out in turn
        self._left_out: dict[int, str] = {}
        self._wrong: dict[int, str] = {}

    def process(self, data_samples: Sequence[BaseDataElement | dict], data_batch: Any = None) -> None:
        """As the base class, without skipped samples, which are taken out of ``data_batch``, too, and with wrong ones made so."""
        rank, world_size = get_dist_info()
        paths = [sample.get(SKIPPED) for sample in data_samples]
        for sample, path in zip(data_samples, paths, strict=True):
            position = rank + self._seen * world_size
            if wrong := sample.get(COUNTED_WRONG):
                self._wrong[position] = wrong
                self._make_wrong(sample)
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

    def _make_wrong(self, sample: BaseDataElement | dict) -> None:
        """Rank what is right last: the label, or where several outputs mean it (``class_map``), all of them."""
        label = int(sample.get("gt_label"))
        scores: Tensor = sample.get("pred_score")
        class_map = (self.dataset_meta or {}).get("class_map")
        right = class_map[label] if class_map else [label]
        scores.zero_()
        scores[right] = -float("inf")

    def evaluate(self, size: int) -> dict:
        """Metrics over the scored clips.

        Args:
            size: Length of the data set, skipped files included.
        Raises:
            UserError: If no clip was scored.
        """
        self.skipped, self.counted_wrong = _gather(self._left_out, size), _gather(self._wrong, size)
        scored = size - len(self.skipped)
        if not scored:
            raise UserError(f"none of the {size} {self.unit}s could be scored; tools/data/check.py says why.")
        if any(all_gather_object(bool(self._left_out))) and get_dist_info()[1] > 1:
            for metric in self.metrics:
                _deal_again(metric, self._kept, size)
        metrics = super().evaluate(scored)
        self._restart()
        counts = {"scored/clips": scored, "scored/skipped": len(self.skipped)}
        if self.skipped:
            self._warn(f"{scored} of {size} {self.unit}s scored; skipped", self.skipped)
        if self.counted_wrong:
            counts["scored/counted_wrong"] = len(self.counted_wrong)
            self._warn(
                f"{len(self.counted_wrong)} of {size} {self.unit}s counted as wrong, undecodable", self.counted_wrong
            )
        return {**metrics, **counts}

    def _warn(self, what: str, paths: list[str]) -> None:
        more = f" and {len(paths) - _NAMED_PATHS} more" if len(paths) > _NAMED_PATHS else ""
        named = ", ".join(paths[:_NAMED_PATHS]) + more
        print_log(f"{what}: {named}.", logger="current", level=logging.WARNING)


def _gather(paths: dict[int, str], size: int) -> list[str]:
    """Paths by position, of all ranks, in the order of the data set."""
    merged = {position: path for part in all_gather_object(paths) for position, path in part.items()}
    # behind the last sample, a sampler repeats samples until all ranks have as many
    return [merged[position] for position in sorted(merged) if position < size]


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
