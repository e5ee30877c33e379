"""What becomes of a file that cannot be decoded: another sample in training, an error or a counted omission in testing.

What counts as such is said in ``decode_fault``. A clip shorter than asked for is no fault: the sampling step loops it (see ``decoding``).
"""

import contextlib
import logging
import os
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from ..errors import UserError
from .decode_fault import decode_fault
from .decoding.errors import DecodeError
from .fault_notes import Fault, FaultNotes

__all__ = ["COUNTED_WRONG", "SKIPPED", "SOURCE_FILE", "FaultTolerant"]

# Metainfo of a data sample that stands in the place of a bad file, which is left out or is wrong; holds the path of that file.
SKIPPED, COUNTED_WRONG = "skipped", "counted_wrong"
# Metainfo of every data sample: the path of the file that it was decoded from.
SOURCE_FILE = "source_file"
_NAMED_PATHS = 10


class FaultTolerant:
    """A mixin for MMEngine's ``BaseDataset``: survives files that cannot be decoded; each is logged once, with its reason.

    In training (``test_mode=False``) another sample, drawn at random, takes the place of a bad one, which is not decoded again. Bad
    files are counted over all loader workers and epochs. With several processes (ranks), each counts those it met, unless
    ``note_faults`` has named a file that all of them share, as ``DataFaultsHook`` does; the lines are then the hook's to log.

    In testing, a bad file is an error. With ``skip_bad`` the next sample that can be decoded is handed over instead, so that
    batches keep their size, and its data sample has the metainfo ``skipped``: the path of the bad file. The evaluator
    ``ScoredClips``, which ``tools/train.py`` and ``tools/test.py`` use for such a data set, keeps it from every metric; with any other
    evaluator the stand-in would count as a clip of the test. With ``bad_counts_as_wrong`` the stand-in has the bad file's label and the
    metainfo ``counted_wrong``, and that evaluator makes its prediction a wrong one, so that all files of the list count.

    Args:
        max_bad_share: Share of the samples, in 0..1, above which bad files stop the training; a tenth by default.
        skip_bad: In testing, leave bad files out, and say so, instead of stopping.
        bad_counts_as_wrong: In testing, count bad files as wrong, and say so, instead of stopping.
    """

    def __init__(
        self,
        *args: Any,
        max_bad_share: float = 0.1,
        skip_bad: bool = False,
        bad_counts_as_wrong: bool = False,
        **kwargs: Any,
    ) -> None:
        if not 0 <= max_bad_share <= 1:
            raise UserError(f"max_bad_share ({max_bad_share}) must be a share of the files, in 0..1.")
        if skip_bad and bad_counts_as_wrong:
            raise UserError("skip_bad and bad_counts_as_wrong cannot both be true: a file is left out, or it is wrong.")
        self.max_bad_share, self.skip_bad, self.bad_counts_as_wrong = max_bad_share, skip_bad, bad_counts_as_wrong
        self._bad = torch.zeros(0, dtype=torch.int32)
        self._notes: FaultNotes | None = None
        super().__init__(*args, **kwargs)

    def full_init(self) -> None:
        super().full_init()
        if len(self._bad) != len(self):
            self._clear_marks()

    def get_subset_(self, indices: Any) -> None:
        super().get_subset_(indices)
        self._clear_marks()

    def get_subset(self, indices: Any) -> "FaultTolerant":
        subset = super().get_subset(indices)
        subset._clear_marks()
        return subset

    def _clear_marks(self) -> None:
        # how often each file was asked for and not to be had; shared memory: what a loader worker marks is seen by the others, and by the
        # workers of the next epoch
        self._bad = torch.zeros(len(self), dtype=torch.int32).share_memory_()

    def note_faults(self, path: str | os.PathLike) -> FaultNotes:
        """Have bad files noted in a file that all workers and ranks share, instead of logged by each; to be called before workers start.

        Returns:
            The notes, to be read by the one that logs them.
        """
        self._notes = FaultNotes(path)
        return FaultNotes(path)

    @property
    def bad_files(self) -> list[str]:
        """Paths of the files that could not be decoded so far, in the order of the list."""
        return [self._path(int(idx)) for idx in self._bad.nonzero()]

    @property
    def replacements(self) -> dict[str, int]:
        """How often each bad file was replaced by another sample, as far as this rank met it."""
        counts: dict[str, int] = {}
        for idx in self._bad.nonzero():
            path = self._path(int(idx))
            counts[path] = counts.get(path, 0) + int(self._bad[idx])
        return counts

    def prepare_data(self, idx: int) -> Any:
        """As the base class; in training, None for a bad file, upon which the base class draws another sample.

        Raises:
            DecodeError: In testing, for a file that cannot be decoded, unless an option says otherwise.
            UserError: If more files are bad than ``max_bad_share`` allows, or no file is good.
        """
        idx = range(len(self))[idx]
        goes_on, fault = self.skip_bad or self.bad_counts_as_wrong or not self.test_mode, None
        if not (self._bad[idx] and goes_on):
            try:
                return self._decode(idx)
            except DecodeError as error:
                fault = error
        if not goes_on:
            hint = (
                "mend it or take it off the list (tools/data/check.py finds all such files), set bad_counts_as_wrong=True, or set "
                "skip_bad=True in the data set"
            )
            raise DecodeError(fault.path, f"{fault.reason}; {hint}") from fault
        if fault is not None:
            self._mark(idx, fault)
        elif not self.test_mode:
            self._bad[idx] += 1
        return self._stand_in(idx) if self.test_mode else None

    def _decode(self, idx: int) -> Any:
        """One sample; what a decoder has against the file is a ``DecodeError``."""
        try:
            data = super().prepare_data(idx)
        except Exception as error:
            fault = decode_fault(error, self._path(idx))
            if fault is None or fault is error:
                raise
            raise fault from error
        if isinstance(data, dict) and hasattr(data.get("data_samples"), "set_metainfo"):
            data["data_samples"].set_metainfo({SOURCE_FILE: self._path(idx)})
        return data

    def _mark(self, idx: int, fault: DecodeError) -> None:
        """Mark a file as bad, have it named, and raise if there are too many."""
        noted = 0
        if not self._bad[idx]:  # another worker may have been faster
            noted = self._tell(self._path(idx), fault)
        self._bad[idx] += 1
        # of this rank, or of all of them
        count, total = max(int(self._bad.count_nonzero()), noted), len(self)
        if count == total:
            raise UserError(
                f"none of the {total} files can be decoded: {self._some_paths()}; tools/data/check.py LIST says why."
            )
        if not self.test_mode and count > self.max_bad_share * total:
            raise UserError(
                f"{count} of {total} files ({count / total:.1%}) cannot be decoded, more than max_bad_share ({self.max_bad_share:.1%}) "
                f"allows: {self._some_paths()}; make a clean list with tools/data/check.py LIST --write-clean, or raise train_dataloader.dataset.max_bad_share."
            )

    def _tell(self, path: str, fault: DecodeError) -> int:
        """Note a bad file where all processes do, or log it; how many there are, as far as that is known."""
        in_test = "left out" if self.skip_bad else "counted as wrong"
        action = in_test if self.test_mode else "replaced by other samples"
        if self._notes is not None:
            with contextlib.suppress(OSError):  # a disk that is full is the checkpoint's to complain of
                inside = "" if fault.path == path else f"{os.path.basename(fault.path)}: "  # one frame of a folder
                return self._notes.add(Fault(path, f"{inside}{fault.reason}", action))
        # other ranks show errors only, and only they may have met this file
        level = logging.WARNING if is_main_process() else logging.ERROR
        print_log(f"{fault.path} cannot be decoded: {fault.reason}; {action}.", logger="current", level=level)
        return 0

    def _stand_in(self, idx: int) -> Any:
        """The next sample that can be decoded, flagged; ``_mark`` raises where there is none."""
        path, total = self._path(idx), len(self)
        for other in (other % total for other in range(idx + 1, idx + total)):
            if self._bad[other]:
                continue
            try:
                data = self._decode(other)
            except DecodeError as error:
                self._mark(other, error)
                continue
            if not hasattr(data.get("data_samples"), "set_metainfo"):
                raise UserError(
                    "a bad file of a test is flagged in data samples, which this pipeline does not make; end it with PackActionInputs."
                )
            data["data_samples"].set_metainfo({SKIPPED if self.skip_bad else COUNTED_WRONG: path})
            if self.bad_counts_as_wrong:
                data["data_samples"].set_gt_label(self.get_data_info(idx)["label"])
            return data
        raise UserError(f"none of the {total} files can be decoded; tools/data/check.py LIST says why.")

    def _path(self, idx: int) -> str:
        info = self.get_data_info(idx)
        keys = ("filename", "frame_dir", "img_path")
        return next((str(info[key]) for key in keys if info.get(key)), f"sample {idx}")

    def _some_paths(self) -> str:
        paths = self.bad_files
        if self._notes is not None:
            paths = sorted({*paths, *(fault.file for fault in self._notes.faults.values())})
        more = f" and {len(paths) - _NAMED_PATHS} more" if len(paths) > _NAMED_PATHS else ""
        if more and self._notes is not None:
            more += f" (all in {self._notes.path})"
        return ", ".join(paths[:_NAMED_PATHS]) + more
