"""Run a function on many items in processes of which none can take the run down.

``concurrent.futures`` gives up as soon as a worker dies, and waits for ever for one that hangs. Native readers do both.
"""

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

__all__ = ["Failure", "map_bounded"]

# a forked worker starts at once, a spawned one imports torch first; the parent has no threads of its own yet
_CONTEXT = get_context("fork" if sys.platform == "linux" else "spawn")


@dataclass(frozen=True)
class Failure:
    """Stands for the result of an item whose worker raised, died or ran out of time."""

    reason: str


def map_bounded(
    function: Callable[[Any], Any], items: Iterable[Any], workers: int = 1, seconds: float = 60.0
) -> Iterator[tuple[int, Any]]:
    """Yield ``(position, result)`` of each item as it is done, in any order.

    Args:
        function: Called in a worker process, which is replaced when it dies or is killed.
        seconds: Time limit per item; a worker that exceeds it is killed.
    """
    pool: list[_Worker] = []
    waiting = enumerate(items)
    try:
        while True:
            for slot in range(workers):
                if (slot >= len(pool) or pool[slot].position is None) and (task := next(waiting, None)) is not None:
                    if slot >= len(pool):
                        pool.append(_Worker(function, [worker.connection for worker in pool]))
                    pool[slot].give(*task, seconds)
            busy = [worker for worker in pool if worker.position is not None]
            if not busy:
                return
            left = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
            wait([end for worker in busy for end in (worker.connection, worker.process.sentinel)], left)
            for worker in busy:
                if (done := worker.collect(seconds)) is not None:
                    yield done
            # a dead worker's place is taken by a fresh one when there is work for it
            pool = [worker for worker in pool if worker.process.exitcode is None]
    finally:
        for worker in pool:
            worker.stop()


class _Worker:
    """A process and the item that it works on: ``position`` is None while it has none."""

    def __init__(self, function: Callable, others: list[Connection]) -> None:
        self.connection, child = _CONTEXT.Pipe()
        inherited = [*others, self.connection] if _CONTEXT.get_start_method() == "fork" else []
        self.process = _CONTEXT.Process(target=_serve, args=(child, function, inherited), daemon=True)
        self.process.start()
        child.close()
        self.position: int | None = None
        self.deadline = float("inf")

    def give(self, position: int, item: Any, seconds: float) -> None:
        self.position, self.deadline = position, time.monotonic() + seconds
        try:
            self.connection.send(item)
        except OSError:  # it died between two items; collect() tells
            return

    def collect(self, seconds: float) -> tuple[int, Any] | None:
        """The result if it is there, or the failure if the worker is gone or has had its time."""
        position = self.position
        try:
            if self.connection.poll():
                self.position, self.deadline = None, float("inf")
                return position, self.connection.recv()
        except (EOFError, OSError):
            self.process.join(5)
        if self.process.exitcode is not None:
            return position, Failure(f"the process reading it died ({_exit_name(self.process.exitcode)})")
        if time.monotonic() >= self.deadline:
            self.stop()
            return position, Failure(f"not done within {seconds:g} s")
        return None

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _exit_name(code: int) -> str:
    try:
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
    except ValueError:
        return f"signal {-code}"


def _serve(connection: Connection, function: Callable, inherited: list[Connection]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    for end in inherited:  # or this process would outlive a parent that was killed
        end.close()
    faulthandler.disable()  # the parent tells of a crash
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries complain there about every bad file
    while True:
        try:
            item = connection.recv()
        except EOFError:
            return
        try:
            result = function(item)
        except Exception as error:  # whatever a reader raises is a property of the file
            result = Failure(f"{type(error).__name__}: {' '.join(str(error).split())}")
        connection.send(result)
