"""Time one view of several models in turn."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config

from ..engine.config import load_config
from ..errors import UserError
from .complexity import build_model, forward_view, view_shape

__all__ = ["Latencies", "latencies"]


@dataclass(frozen=True)
class Latencies:
    """Milliseconds of one view per config, and how they were measured."""

    milliseconds: list[float]
    how: str


def latencies(
    configs: Sequence[str],
    repeats: int = 10,
    device: str = "cpu",
    threads: int = 1,
    size: int | None = None,
    options: dict[str, Any] | None = None,
) -> Latencies:
    """Time a forward pass of one view per config: the median of ``repeats`` passes, after one that is not measured.

    The models run in turn in this process, so that whatever slows the machine for a while slows all of them.

    Raises:
        UserError: As :func:`count_config`, or if there is no such device.
    """
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"--device ({device}) cannot be used ({reason}); use --device cpu.") from error
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        passes = [_prepared_pass(load_config(config, options), device, size) for config in configs]
        seconds: list[list[float]] = [[] for _ in passes]
        for run in passes:
            run()
        for _ in range(repeats):
            for own, run in zip(seconds, passes, strict=True):
                started = time.perf_counter()
                run()
                own.append(time.perf_counter() - started)
    finally:
        torch.set_num_threads(before)
    how = f"median of {repeats} passes in turn, {device}, torch {torch.__version__}"
    how += f", {threads} thread{'s' * (threads > 1)}" if device == "cpu" else ""
    return Latencies([1000 * statistics.median(own) for own in seconds], how)


def _prepared_pass(cfg: Config, device: str, size: int | None) -> Callable[[], None]:
    model = build_model(cfg, device)
    view = torch.randn(view_shape(cfg, model, size), device=device)

    def run() -> None:
        with torch.inference_mode():
            forward_view(model, view)
        if view.is_cuda:
            torch.cuda.synchronize(view.device)

    return run
