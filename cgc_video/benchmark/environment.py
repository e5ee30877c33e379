"""What a result depends on, as lines for the head of a file."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import torch

from cgc_video.version import __version__

from .settings import Settings

__all__ = ["commit", "cpu_name", "describe", "usable_cores"]

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("torch", "triton", "numpy", "mmengine", "mmcv-lite", "mmcv", "mmaction2")


def describe(settings: Settings, command: str) -> dict[str, str]:
    """Names and values: when, which code, which command, which hardware, which versions."""
    lines = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "command": command,
        "device": torch.cuda.get_device_name(settings.device) if settings.on_gpu else cpu_name(),
        "cpu": f"{cpu_name()}, {usable_cores()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "threads": str(settings.threads),
        "dtype": "float32" if settings.amp is None else f"{settings.amp} autocast",
        "memory format": "channels_last" if settings.channels_last else "contiguous",
        "rounds": f"{settings.repeats} measured after {settings.warmup} warm-up, formulations in turn",
        "ratios": "median over the median of plain",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": ", ".join([f"cgc_video {__version__}", *_versions()]),
    }
    if settings.on_gpu:
        lines["cuda"] = f"{torch.version.cuda}, cuDNN {torch.backends.cudnn.version()} (tries out its algorithms)"
    return lines


def commit() -> str:
    """The commit of the repository that this package lies in, and whether files differ from it; else ``"unknown"``."""
    if _git("rev-parse", "--show-toplevel") != str(_ROOT):  # installed, perhaps below somebody else's repository
        return "unknown"
    head, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    return "unknown" if head is None else head + (" with uncommitted changes" if changes else "")


def _git(*arguments: str) -> str | None:
    try:
        command = ["git", "-C", str(_ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _versions() -> list[str]:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
