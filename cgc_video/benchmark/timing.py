"""Time several passes alternately in one process, so that whatever slows the machine for a while slows all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from .settings import Settings
from .step import Step

__all__ = ["Timing", "time_alternately"]


@dataclass(frozen=True)
class Timing:
    """Milliseconds of the measured rounds: median, least, and the quartiles that bound the middle half."""

    median_ms: float
    min_ms: float
    q25_ms: float
    q75_ms: float

    @classmethod
    def of(cls, milliseconds: list[float]) -> "Timing":
        if len(milliseconds) == 1:
            return cls(*milliseconds * 4)
        q25, median, q75 = statistics.quantiles(milliseconds, n=4, method="inclusive")
        return cls(median, min(milliseconds), q25, q75)


def time_alternately(
    builders: Mapping[str, Callable[[], Step]], settings: Settings
) -> tuple[dict[str, Timing], dict[str, str]]:
    """Build every pass, warm it up, and time one after the other, round by round, each round starting with the next one.

    On a GPU the time is that between two events in its stream.

    Returns:
        The timings by name, and by name why a pass could not run.
    """
    warmed = {name: _warm_up(build, settings) for name, build in builders.items()}
    failures = {name: outcome for name, outcome in warmed.items() if isinstance(outcome, str)}
    steps = {name: warmed.pop(name) for name in builders if name not in failures}
    milliseconds: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    with _garbage_kept():
        for round_index in range(settings.repeats):
            first = round_index % max(1, len(names))
            for name in names[first:] + names[:first]:
                milliseconds[name].append(_run(steps[name], settings))
    steps.clear()
    if settings.on_gpu:  # for the processes that measure memory next
        torch.cuda.empty_cache()
    return {name: Timing.of(values) for name, values in milliseconds.items()}, failures


def _warm_up(build: Callable[[], Step], settings: Settings) -> Step | str:
    """A pass that has run, or why it cannot."""
    try:
        step = build()
        for _ in range(settings.warmup):
            _run(step, settings)
    except (ValueError, RuntimeError) as error:
        if (reason := _expected_failure(error)) is None:
            raise
        return reason
    return step


def _run(step: Step, settings: Settings) -> float:
    """Run once and return the milliseconds."""
    step.clear()
    if settings.on_gpu:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        settings.synchronize()
        start.record()
        step()
        end.record()
        settings.synchronize()
        milliseconds = start.elapsed_time(end)
    else:
        started = time.perf_counter()
        step()
        milliseconds = 1000 * (time.perf_counter() - started)
    step.clear()
    return milliseconds


def _expected_failure(error: Exception) -> str | None:
    """Why a pass cannot run here, or ``None`` where the error is a defect."""
    message = str(error)
    if isinstance(error, torch.cuda.OutOfMemoryError) or "can't allocate memory" in message:
        return "out of memory"
    if isinstance(error, ValueError) and "cannot run this call" in message:  # a backend that was named
        return message
    return None


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Collect garbage now and not meanwhile, where it would fall upon one pass or another."""
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
