"""A graph as one ONNX file, and such a file run by onnxruntime."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch.export import ExportedProgram

from cgc_video.errors import UserError

from .quiet import quiet_tracing

__all__ = ["OPSET", "OPSETS", "check_packages", "run_onnx", "write_onnx"]

OPSET = 18  # the first that torch's exporter writes without conversion, and so the one that most runtimes read
OPSETS = range(18, 24)  # the last that onnxruntime 1.23 reads


def check_packages(run: bool) -> None:
    """See that what writes a file, and what runs it, is installed.

    Raises:
        UserError: If it is not.
    """
    for module in ("onnx", "onnxscript", *(("onnxruntime",) if run else ())):
        _package(module)


def write_onnx(
    program: ExportedProgram, file: Path, names: tuple[str, str], metadata: Mapping[str, str], opset: int
) -> None:
    """Write one file: graph, weights, and ``metadata`` under ``metadata_props``.

    Args:
        program: With one input and one output, whose first axes are the batch.
        names: Of the input and the output.
        opset: One of ``OPSETS``.

    Raises:
        UserError: If an operator of the graph has no form in ONNX.
    """
    try:
        with quiet_tracing():
            written = torch.onnx.export(
                program,
                dynamo=True,
                verbose=False,
                optimize=False,  # below: in this order it takes a tenth of the time
                opset_version=opset,
                input_names=names[:1],
                output_names=names[1:],
                custom_translation_table={torch.ops.aten.slice_scatter.default: _concatenated()},
            )
    except torch.onnx.OnnxExporterError as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = str(cause).strip().split("\n")[0].rstrip(".")
        raise UserError(f"the network cannot be written as ONNX ({reason}); try --format torch-export.") from error
    model: Any = written.model
    optimizer: Any = importlib.import_module("onnxscript.optimizer")
    optimizer.fold_constants(model)
    optimizer.optimize(model, num_iterations=1)
    written.rename_axes({model.graph.inputs[0].shape[0]: "batch"})
    for node in model.graph.all_nodes():  # where in which file a node came from
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
    model.graph.metadata_props.clear()
    model.metadata_props.clear()
    model.metadata_props.update(metadata)
    written.save(str(file), external_data=False)


def run_onnx(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A function that runs a file on the CPU.

    Raises:
        UserError: If onnxruntime refuses the file; from the function, if it fails on the way.
    """
    onnxruntime: Any = _package("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = (
        4  # it warns of constants that it does not need, and prints errors before it raises them
    )
    with _named_errors():
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(pixels: np.ndarray) -> np.ndarray:
        with _named_errors():
            return session.run(None, {name: pixels})[0]

    return run


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # its exceptions have no base of their own
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise UserError(f"onnxruntime cannot run the file ({reason}); try another --opset, or --no-check.") from error


def _package(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:  # something that the package itself lacks
            raise
        raise UserError(
            f"the package {module} is needed for ONNX and is not installed; run `pip install -e .[export]`."
        ) from error


def _concatenated() -> Callable:
    """``slice_scatter``, which a temporal shift consists of, as a concatenation; torch's own form scatters single rows."""
    op: Any = importlib.import_module("onnxscript").opset18

    def slice_scatter(self, src, dim: int = 0, start=None, end=None, step: int = 1):
        length = self.shape[dim]
        if step == 1 and not start and (end is None or end >= 2**62):  # the whole axis
            return op.Identity(src)
        if step != 1 or not isinstance(length, int):
            raise NotImplementedError(f"slice_scatter along a free axis or by step {step}")
        first, last, _ = slice(start, end).indices(length)
        before = [op.Slice(self, [0], [first], [dim])] if first > 0 else []
        after = [op.Slice(self, [last], [length], [dim])] if last < length else []
        return op.Concat(*before, src, *after, axis=dim) if before or after else op.Identity(src)

    return slice_scatter
