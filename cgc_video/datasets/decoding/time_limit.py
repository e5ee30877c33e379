"""A limit on the time that one file may take.

``Deadline`` is looked at between packets and frames; that bounds PyAV and OpenCV, whose calls each do a bounded piece
of work on a regular file. A call that never comes back can only be ended with its process: ``helper`` runs decord in
one.
"""

import time

from .errors import DecodeError

__all__ = ["Deadline"]


class Deadline:
    """Counts the seconds spent on one file."""

    def __init__(self, path: object, seconds: float | None) -> None:
        self.path, self.seconds = path, seconds
        self.restart()

    def restart(self) -> None:
        """Give the next step its full time: between two steps a file may lie waiting."""
        self.end = float("inf") if self.seconds is None else time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds left, 0 at least."""
        return max(0.0, self.end - time.monotonic())

    def check(self) -> None:
        """Raise a ``DecodeError`` if the time is over."""
        if time.monotonic() > self.end:
            raise self.error()

    def error(self) -> DecodeError:
        """The error to raise when the time is over."""
        return DecodeError(self.path, f"timed out after {self.seconds:g} s")
