"""A file in which all processes of a training note the files that cannot be decoded, so that each is named once.

A data set is copied into every loader worker of every rank, and any of them may meet a bad file first. Each appends a line; one process
reads them. Lines are JSON: ``{"file": ..., "reason": ..., "action": ...}``.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["Fault", "FaultNotes"]


class Fault(NamedTuple):
    """A file, why it cannot be decoded, and what is done instead of using it."""

    file: str
    reason: str
    action: str


class FaultNotes:
    """The notes of one data set; every process has an object of its own over the same file.

    Attributes:
        path: The file; it is made by the first note.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.faults: dict[str, Fault] = {}  # what was read so far, by file
        self._position = 0

    def add(self, fault: Fault) -> int:
        """Append a line, whole or not at all, wherever the others are.

        Returns:
            How many different files all processes have noted, this one included.
        Raises:
            OSError: If that cannot be written.
        """
        line = json.dumps(fault._asdict()) + "\n"  # a path may hold what is no UTF-8: escaped
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)
        self.read_new()
        return len(self.faults)

    def read_new(self) -> list[Fault]:
        """Faults that were noted since the last call, without files that were noted before."""
        try:
            if self.path.stat().st_size <= self._position:
                return []
            with self.path.open("rb") as file:
                file.seek(self._position)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]  # over a network the end may still be on its way
        self._position += len(whole)
        new = []
        for line in whole.splitlines():
            fault = Fault(**json.loads(line))
            if fault.file not in self.faults:
                self.faults[fault.file] = fault
                new.append(fault)
        return new
