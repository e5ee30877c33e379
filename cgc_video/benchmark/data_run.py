"""Time pipelines in turn, stage by stage, compare what they give, and measure their peak memory in processes of their own."""

import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Any

import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS

from .data_cases import DataCase, Pipeline
from .memory import GLIBC, held, peak_now, reset_peak
from .settings import Settings

__all__ = ["DataRow", "measure_file"]

Step = Callable[[dict[str, Any]], dict[str, Any]]

_VIEWS_AT_A_TIME = 3  # of the lazily cut ones, as a recognizer takes them
_COMPARED = 5  # samples whose pixels are compared; a test sample has no other


@dataclass
class DataRow:
    """One file in one case: ``stock`` over ``ours``, so that more is better.

    Attributes:
        group: Of which kind the file is, where the case tells kinds apart.
        stock_ms, ours_ms: Medians of a sample.
        speedup: Median of the rounds' ratios.
        stages: Milliseconds of each step, ``"stock VideoDecode": 12.3``, largest first.
        difference: Mean absolute difference of the pixels, of 255; ``None`` where they come from different files.
        memory_ratio: Our peak over the stock one's.
    """

    case: str
    file: str
    stock_ms: float = 0.0
    ours_ms: float = 0.0
    speedup: float = 0.0
    difference: float | None = None
    stock_mib: float | None = None
    ours_mib: float | None = None
    memory_ratio: float | None = None
    stages: dict[str, float] = field(default_factory=dict)
    group: str = ""


def measure_file(case: DataCase, index: int, repeats: int, with_memory: bool) -> DataRow:
    """Measure one file of a case. In each round both pipelines get the same random state.

    Raises:
        AssertionError: If the outputs differ in more than the case allows.
    """
    _keep_freed_memory()
    path = case.samples[index].get("filename", case.samples[index].get("frame_dir"))
    row = DataRow(case.name, os.path.basename(path), group=case.groups[index] if case.groups else "")
    pipelines = {"stock": _build(case.stock), "ours": _build(case.ours)}
    differences = []
    for seed in range(1 if case.name.startswith("test") else _COMPARED):
        outputs = {who: _run(pipelines[who], case.sample(who, index), seed)[0] for who in pipelines}
        if (difference := _compare(case, outputs)) is not None:
            differences.append(difference)
    del outputs
    row.difference = statistics.mean(differences) if differences else None
    seconds: dict[str, list[float]] = {who: [] for who in pipelines}
    stages: dict[str, list[float]] = {}
    for round_index in range(repeats):
        order = list(pipelines)[:: 1 if round_index % 2 == 0 else -1]
        for who in order:
            output, spent = _run(pipelines[who], case.sample(who, index), round_index)
            del output
            seconds[who].append(sum(spent.values()))
            for stage, value in spent.items():
                stages.setdefault(f"{who} {stage}", []).append(value)
    row.stock_ms, row.ours_ms = (1000 * statistics.median(seconds[who]) for who in ("stock", "ours"))
    row.speedup = statistics.median(stock / ours for stock, ours in zip(*seconds.values(), strict=True))
    medians = {stage: 1000 * statistics.median(values) for stage, values in stages.items()}
    row.stages = dict(sorted(medians.items(), key=lambda item: -item[1]))
    if with_memory:
        row.stock_mib, row.ours_mib = (_apart(partial(_peak, case, who, index)) / 2**20 for who in ("stock", "ours"))
        row.memory_ratio = row.ours_mib / row.stock_mib
    return row


def _keep_freed_memory() -> None:
    """Let the heap be as it is where models are trained.

    glibc hands freed memory back to the kernel until a block of some MiB was freed once; after a model was built and its
    weights were loaded it does not, nor do the workers forked from there. In a process without that past, a pipeline pays
    for its copies with page faults, and what ran before decides how much. To see the most it can be, set the environment's
    MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ to 131072.
    """
    bytearray(31 << 20)


def _build(steps: Pipeline) -> list[Step]:
    return [TRANSFORMS.build(dict(step)) for step in steps]


def _run(pipeline: list[Step], sample: dict[str, Any], seed: int) -> tuple[dict[str, Any], dict[str, float]]:
    """The sample, and the seconds of each step; views that are handed over lazily are cut as well, which counts."""
    random.seed(seed)
    np.random.seed(seed)
    seconds: dict[str, float] = {}
    for number, step in enumerate(pipeline):
        started = time.perf_counter()
        sample = step(sample)
        seconds[f"{number} {type(step).__name__}"] = time.perf_counter() - started
    if isinstance(sample["inputs"], dict):
        started = time.perf_counter()
        _each_chunk(sample, lambda views: None)
        seconds["cutting the views"] = time.perf_counter() - started
    return sample, seconds


def _each_chunk(sample: dict[str, Any], use: Callable[[torch.Tensor], None]) -> None:
    from cgc_video.models.lazy_views import SampleViews

    views = SampleViews(*(torch.as_tensor(sample["inputs"][key]) for key in ("frames", "frame_places", "boxes")))
    for start in range(0, len(views), _VIEWS_AT_A_TIME):
        use(views.cut(start, min(start + _VIEWS_AT_A_TIME, len(views))))


def _compare(case: DataCase, outputs: dict[str, dict[str, Any]]) -> float | None:
    tensors = {}
    for who, sample in outputs.items():
        if isinstance(sample["inputs"], dict):
            parts: list[torch.Tensor] = []
            _each_chunk(sample, parts.append)
            tensors[who] = torch.cat(parts)
        else:
            tensors[who] = sample["inputs"]
    stock, ours = tensors["stock"], tensors["ours"]
    assert (stock.shape, stock.dtype) == (ours.shape, ours.dtype), f"{case.name}: {stock.shape} against {ours.shape}"
    if case.other_samples:
        return None
    difference = (stock.short() - ours.short()).abs().float().mean().item()
    assert case.same != "pixels" or difference == 0, f"{case.name}: pixels differ by {difference:.3f} on average"
    return difference


def _peak(case: DataCase, who: str, index: int) -> int:
    """Bytes that a sample takes at its peak, after one that loads what loads on use."""
    cv2.setNumThreads(0)
    pipeline = _build(case.stock if who == "stock" else case.ours)
    sample, _ = _run(pipeline, case.sample(who, index), 0)
    del sample
    before = held(Settings())
    reset_peak(Settings())
    _run(pipeline, case.sample(who, index), 0)
    return peak_now(Settings()) - before


def _apart(measure: Callable[[], int]) -> int:
    """Call a function in a fresh process, with the memory settings of :mod:`.memory`."""
    saved = {name: os.environ.get(name) for name in GLIBC}
    os.environ.update(GLIBC)
    try:
        with get_context("spawn").Pool(1) as pool:
            return pool.apply(measure)
    finally:
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
