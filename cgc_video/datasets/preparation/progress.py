"""Progress of work on many files, readable on a terminal and in a log."""

import sys
import time
from typing import TextIO

__all__ = ["ProgressLine"]


class ProgressLine:
    """Shows ``<what> done/total`` on a stream: one line that rewrites itself on a terminal, else a line every ``every``.

    Calling it per file costs next to nothing: a terminal is written to ten times a second at most.
    """

    def __init__(self, what: str, every: int = 20_000, stream: TextIO | None = None) -> None:
        self.what, self.every, self.stream = what, every, stream or sys.stderr
        self._shown_at, self._open = 0.0, False

    def __call__(self, done: int, total: int | None = None) -> None:
        text = f"{self.what} {done}{'' if total is None else f'/{total}'}"
        if self.stream.isatty():
            now = time.monotonic()
            if done == total or now - self._shown_at >= 0.1:
                self._shown_at, self._open = now, True
                self._write(f"\r{text}")
        elif done and done % self.every == 0:
            self._write(f"{text}\n")

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the line that is being rewritten, if there is one."""
        if self._open:
            self._write("\n")
            self._open = False

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
