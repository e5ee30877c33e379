"""A graph as a file of ``torch.export``, and such a file run by PyTorch."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch.export import ExportedProgram

__all__ = ["METADATA", "run_program", "write_program"]

METADATA = "metadata.json"


def write_program(program: ExportedProgram, file: Path, metadata: Mapping[str, str]) -> None:
    """Write one file, with ``metadata`` as an extra file in it. It loads without this package."""
    torch.export.save(program, str(file), extra_files={METADATA: json.dumps(dict(metadata), ensure_ascii=False)})


def run_program(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A function that runs a file on the CPU."""
    module = torch.export.load(str(file)).module()

    def run(pixels: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return module(torch.from_numpy(pixels)).numpy()

    return run
