"""The random states of a process: Python's, numpy's, torch's on the CPU and on every GPU."""

import random
from typing import Any

import numpy as np
import torch

__all__ = ["collect", "restore"]


def collect() -> dict[str, Any]:
    """All states, as numbers, lists and tensors, which load without running code."""
    name, words, position, has_gauss, gauss = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (name, words.tolist(), position, has_gauss, gauss),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else [],
    }


def restore(states: dict[str, Any]) -> None:
    """Set what ``collect`` gave; GPUs that this machine lacks are left aside."""
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words), gauss))
    name, words, *rest = states["numpy"]
    np.random.set_state((name, np.array(words, dtype=np.uint32), *rest))
    torch.set_rng_state(states["torch"].cpu())
    if torch.cuda.is_available():
        for device, state in zip(range(torch.cuda.device_count()), states["cuda"], strict=False):
            torch.cuda.set_rng_state(state.cpu(), device)
