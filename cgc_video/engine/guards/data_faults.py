"""Name each file that cannot be decoded once, whichever process met it, and leave a list of all in the work dir."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmaction.registry import HOOKS
from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import Hook

from ...datasets.fault_notes import FaultNotes
from ...datasets.faults import FaultTolerant

__all__ = ["REPORT", "DataFaultsHook", "fault_tolerant", "read_report", "write_report"]

REPORT = "bad_files.txt"
_HEADER = "replaced\tfile\treason"


@HOOKS.register_module()
class DataFaultsHook(Hook):
    """Has the data sets note files that cannot be decoded in a file beside the log, and logs each of them once, as it is met.

    After each epoch of training, ``bad_files.txt`` in the work dir names each file once, with its reason and how often another sample took
    its place; a resumed run goes on with the counts. See ``FaultTolerant`` for when bad files stop a run.
    """

    priority = "LOW"

    def __init__(self) -> None:
        self._notes: list[FaultNotes] = []
        self._before: dict[str, tuple[int, str]] = {}

    def before_train(self, runner) -> None:
        self._report = Path(runner.work_dir) / REPORT
        self._parts = self._watch(runner, "train", runner.train_dataloader.dataset)
        self._before = read_report(self._report) if runner.iter else {}
        if not runner.iter and is_main_process():
            self._report.unlink(missing_ok=True)
        if runner.val_loop is not None:
            self._watch(runner, "val", runner.val_dataloader.dataset)

    def before_test(self, runner) -> None:
        self._watch(runner, "test", runner.test_dataloader.dataset)

    def _watch(self, runner, split: str, dataset: Any) -> list[tuple[FaultTolerant, FaultNotes]]:
        parts = []
        for number, part in enumerate(fault_tolerant(dataset)):
            name = f"bad_files_{split}{number or ''}.jsonl"
            parts.append((part, part.note_faults(Path(runner.log_dir) / name)))
        self._notes += [notes for _, notes in parts]
        return parts

    def _after_iter(self, runner, batch_idx: int, data_batch=None, outputs=None, mode: str = "train") -> None:
        self._name_new(runner)

    def _after_epoch(self, runner, mode: str = "train") -> None:
        self._name_new(runner)

    def _name_new(self, runner) -> None:
        if is_main_process():
            for fault in (fault for notes in self._notes for fault in notes.read_new()):
                line = f"{fault.file} cannot be decoded: {fault.reason}; {fault.action}."
                runner.logger.log(logging.WARNING, line)

    def after_train_epoch(self, runner) -> None:
        self._name_new(runner)
        found = self._gather()
        if found and is_main_process():
            write_report(self._report, found)

    def after_train(self, runner) -> None:
        found = self._gather()
        if found and is_main_process():
            write_report(self._report, found)
            total = sum(len(part) for part, _ in self._parts)
            replaced = sum(count for count, _ in found.values())
            what = f"{len(found)} of {total} files could not be decoded and were replaced by other samples, {replaced} times in all"
            runner.logger.warning(f"{what}: {self._report} names each.")

    def _gather(self) -> dict[str, tuple[int, str]]:
        """Replacements and reason by file, of all ranks and of the run that this one resumes."""
        own: dict[str, tuple[int, str]] = {}
        for part, notes in self._parts:
            notes.read_new()
            for path, count in part.replacements.items():
                reason = notes.faults[path].reason if path in notes.faults else ""
                own[path] = (count + own.get(path, (0, ""))[0], reason)
        merged = dict(self._before)
        for counts in all_gather_object(own):
            for path, (count, reason) in counts.items():
                before = merged.get(path, (0, ""))
                merged[path] = (before[0] + count, reason or before[1])
        return merged


def fault_tolerant(dataset: Any) -> Iterator[FaultTolerant]:
    """The data sets that survive bad files, in a data set or in what wraps several, or repeats one."""
    if isinstance(dataset, FaultTolerant):
        yield dataset
        return
    for inner in getattr(dataset, "datasets", None) or [getattr(dataset, "dataset", None)]:
        if inner is not None:
            yield from fault_tolerant(inner)


def write_report(path: Path, found: dict[str, tuple[int, str]]) -> None:
    """Write one line per file: how often it was replaced, its path, the reason."""
    lines = [f"{count}\t{_one_line(file)}\t{_one_line(reason)}" for file, (count, reason) in sorted(found.items())]
    new = path.with_name(f"{path.name}.new")  # a run that is cut off leaves a whole list
    new.write_text("\n".join([_HEADER, *lines, ""]), encoding="utf-8", errors="backslashreplace")
    new.replace(path)


def read_report(path: Path) -> dict[str, tuple[int, str]]:
    """What ``write_report`` wrote; nothing where there is no such file, or lines that someone changed."""
    if not path.is_file():
        return {}
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[1:]]
    return {row[1]: (int(row[0]), row[2]) for row in rows if len(row) == 3 and row[0].isdigit()}


def _one_line(text: str) -> str:
    return text.replace("\t", " ").replace("\n", " ").replace("\r", " ")
