"""Peak memory of one pass, measured in a process of its own.

The figure is what a pass takes at its peak beyond its inputs and weights: activations, gradients of the parameters, buffers. A first pass
runs before, so that library code which loads on use does not count; what that pass leaves behind is reported beside it, as
``kept`` (library code, and any buffer that a formulation keeps for the next call).

On the CPU it is the peak of the process's resident memory (``VmHWM``, reset through ``/proc/self/clear_refs``), with glibc told to
hand freed blocks back at once; Linux only, exact to some pages. On a GPU it is ``torch.cuda.max_memory_allocated``.
"""

import ctypes
import gc
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from .settings import Settings
from .step import BenchmarkCase

__all__ = [
    "GLIBC",
    "PeakMemory",
    "available_bytes",
    "held",
    "measure_peaks",
    "peak_now",
    "reset_peak",
    "why_unmeasured",
]

_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Blocks of 64 KiB and more come from the kernel one by one and go back when freed; the rest of the heap is trimmed.
GLIBC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "0"}


@dataclass(frozen=True)
class PeakMemory:
    """Bytes beyond inputs and weights: at the peak of a pass, and what a first pass leaves behind."""

    peak: int
    kept: int


def why_unmeasured(settings: Settings) -> str | None:
    """Why memory cannot be measured here, or ``None`` if it can."""
    if settings.on_gpu or (_STATUS.is_file() and _CLEAR_REFS.exists()):
        return None
    return "Memory on the CPU is not measured: that takes Linux, which can reset a process's peak."


def measure_peaks(
    case: BenchmarkCase, formulations: Sequence[str], training: bool, settings: Settings
) -> dict[str, PeakMemory | str]:
    """Run two passes of each formulation in a process of its own and measure the second; where that fails, the reason."""
    # A GPU's driver that was asked for its devices, as imports do, does not survive the copying of a process.
    groups = [[formulation] for formulation in formulations] if settings.on_gpu else [list(formulations)]
    return {name: found for group in groups for name, found in _measure_apart(case, group, training, settings).items()}


def _measure_apart(case: BenchmarkCase, formulations: list[str], training: bool, settings: Settings) -> dict:
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "cgc_video.benchmark.memory"],
        input=pickle.dumps((case, formulations, training, settings)),
        capture_output=True,
        env={**os.environ, **GLIBC, "PYTHONPATH": path},
        check=False,
    )
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    if len(results) != len(formulations):  # the process did not get as far as its own error handling
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise RuntimeError(f"The process that measures memory failed: {lines[-1] if lines else done.returncode}")
    measured = (result.get("failure") or PeakMemory(**result) for result in results)
    return dict(zip(formulations, measured, strict=True))


def available_bytes() -> int | None:
    """Memory that this process can still get, by the system and by its control group; ``None`` where that is not known."""
    found = []
    try:
        fields = _fields(Path("/proc/meminfo"))
        found.append(fields["MemAvailable"])
        group = Path("/sys/fs/cgroup")
        for limit, usage in (
            ("memory.max", "memory.current"),
            ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
        ):
            if (group / limit).is_file() and (text := (group / limit).read_text().strip()) != "max":
                found.append(int(text) - int((group / usage).read_text()))
    except (OSError, KeyError, ValueError):
        pass
    return min(found, default=None)


def _fields(path: Path) -> dict[str, int]:
    """``Name: 12 kB`` lines as bytes."""
    pairs = (line.split(":", 1) for line in path.read_text().splitlines())
    return {name: 1024 * int(value.split()[0]) for name, value in pairs if value.strip().endswith("kB")}


def held(settings: Settings) -> int:
    """Bytes in use once everything that can be freed is free."""
    gc.collect()
    if settings.on_gpu:
        settings.synchronize()
        return torch.cuda.memory_allocated(settings.device)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
    return _fields(_STATUS)["VmRSS"]


def reset_peak(settings: Settings) -> None:
    if settings.on_gpu:
        torch.cuda.reset_peak_memory_stats(settings.device)
    else:
        _CLEAR_REFS.write_text("5")


def peak_now(settings: Settings) -> int:
    if settings.on_gpu:
        settings.synchronize()
        return torch.cuda.max_memory_allocated(settings.device)
    return _fields(_STATUS)["VmHWM"]


def _measure_here(case: BenchmarkCase, formulation: str, training: bool, settings: Settings) -> PeakMemory:
    with settings.applied():
        step = case.step(formulation, training, settings)
        inputs_and_weights = held(settings)
        step()
        step.clear()
        before = held(settings)
        reset_peak(settings)
        step()
        # On a GPU the allocator counts tensors alone, so the baseline is what the inputs and weights hold, and a kept buffer counts.
        base = inputs_and_weights if settings.on_gpu else before
        return PeakMemory(peak=peak_now(settings) - base, kept=before - inputs_and_weights)


def _main() -> None:
    """Read a case from stdin and write a line per formulation.

    On the CPU each is measured in a copy of this process, which starts with everything imported and nothing run: threads that had
    run would not outlive the copying.
    """
    case, formulations, training, settings = pickle.load(sys.stdin.buffer)
    import torch._dynamo  # noqa: F401  a custom operator imports it at its first call, which takes seconds

    if settings.on_gpu:
        (formulation,) = formulations
        _write_measured(case, formulation, training, settings)
        return
    for formulation in formulations:
        if (process := os.fork()) == 0:
            code = 1
            try:
                _write_measured(case, formulation, training, settings)
                code = 0
            finally:
                os._exit(code)
        if os.waitpid(process, 0)[1] != 0:
            _write({"failure": "killed, most likely out of memory"})


def _write_measured(*arguments) -> None:
    try:
        _write(asdict(_measure_here(*arguments)))
    except Exception as error:  # any failure of one formulation is a note in its row
        _write({"failure": " ".join(f"{type(error).__name__}: {error}".split())})


def _write(result: dict) -> None:
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main()
