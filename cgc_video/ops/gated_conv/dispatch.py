"""Which backend serves a call."""

import importlib
from types import ModuleType

from torch import Tensor

__all__ = ["BACKENDS", "load_backend", "select_backend", "unsupported_reason"]

# Modules of this folder, in order of preference; the last one serves every call.
BACKENDS = ("triton", "cpu", "eager")


def load_backend(name: str) -> ModuleType:
    """The module of a backend: ``forward``, ``backward``, ``unsupported_reason`` and ``is_faster``."""
    return importlib.import_module(f".{name}", __package__)


def select_backend(
    x: Tensor, weight: Tensor, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups: int = 1, backend: str = "auto"
) -> str:
    """Name the backend that serves a call: under ``"auto"`` the first that can run it and is faster than the last.

    Raises:
        ValueError: If ``backend`` names one that cannot run this call, or none that exists.
    """
    call = (x, weight, stride, padding, dilation, groups)
    if backend == "auto":
        return next(name for name in BACKENDS if not unsupported_reason(name, *call) and is_faster(name, *call))
    if backend not in BACKENDS:
        raise ValueError(f"backend ({backend!r}) must be 'auto', 'reference' or one of {BACKENDS}.")
    if reason := unsupported_reason(backend, *call):
        raise ValueError(f"backend ({backend!r}) cannot run this call: {reason}; use backend='auto'.")
    return backend


def unsupported_reason(backend: str, x: Tensor, weight: Tensor, stride, padding, dilation, groups: int) -> str | None:
    """Why ``backend`` cannot run a call, or ``None`` if it can."""
    return load_backend(backend).unsupported_reason(x, weight, stride, padding, dilation, groups)


def is_faster(backend: str, x: Tensor, weight: Tensor, stride, padding, dilation, groups: int) -> bool:
    """Whether ``backend``, which can run a call, is expected to beat the eager one; each backend states its measurements."""
    return load_backend(backend).is_faster(x, weight, stride, padding, dilation, groups)
