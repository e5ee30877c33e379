"""Write a trained model as a file that runs without this package."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch.onnx

from cgc_video.engine.config import load_config
from cgc_video.engine.output import check_writable
from cgc_video.engine.prepare import has_classes
from cgc_video.engine.trained import load_trained
from cgc_video.errors import UserError

from .interface import INPUT, Interface, find_interface
from .metadata import metadata
from .onnx_file import OPSET, OPSETS, check_packages, run_onnx, write_onnx
from .parity import TOLERANCE, largest_difference
from .program_file import run_program, write_program

__all__ = ["FORMATS", "ExportedFile", "export_model"]

FORMATS = {"onnx": ".onnx", "torch-export": ".pt2"}


@dataclass(frozen=True)
class ExportedFile:
    """What was written.

    Args:
        difference: The largest relative difference from the network, ``None`` where it was not measured.
    """

    path: Path
    interface: Interface
    class_names: list[str]
    opset: int | None
    difference: float | None


def export_model(
    config: str,
    checkpoint: str,
    output: str | Path | None = None,
    format: str = "onnx",
    opset: int = OPSET,
    size: int | None = None,
    views: int | None = None,
    check: bool = True,
) -> ExportedFile:
    """Write a model with its normalisation, its head and the average over views: uint8 RGB pixels in, class probabilities out.

    The batch is free; views, frames, height and width are fixed. A gated convolution becomes the product of each sample's kernels
    with the patches of its input, which takes ``kh * kw`` times the input's memory.

    Args:
        config: Of the model; its test pipeline says how many views of what size there are.
        output: The file; by default the checkpoint's path with the format's suffix. One that is there is replaced.
        format: ``"onnx"`` or ``"torch-export"``.
        opset: Of ONNX.
        size: Height and width, in place of the test pipeline's.
        views: Clips and crops per video, in place of the test pipeline's.
        check: Run the file on random samples, in batches of 1 and 2, beside the network.

    Raises:
        UserError: If the model, the format or an option cannot be had, a package is missing, or the file cannot be written or
            differs from the network by more than ``TOLERANCE``; no file is left then.
    """
    if format not in FORMATS:
        raise UserError(f"format ({format}) must be one of {list(FORMATS)}.")
    if format == "onnx" and opset not in OPSETS:
        raise UserError(f"--opset ({opset}) must be from {OPSETS[0]} to {OPSETS[-1]}.")
    for name, value in (("size", size), ("views", views)):
        if value is not None and value < 1:
            raise UserError(f"--{name} ({value}) must be at least 1.")
    _check_torch()
    from .network import trace

    path = Path(output) if output is not None else Path(checkpoint).with_suffix(FORMATS[format])
    if format == "onnx":
        check_packages(run=check)
    cfg = load_config(config)
    if not has_classes(cfg):
        raise UserError(
            f"model ({cfg.model.type}) cannot be exported: it does not classify videos or images; give a config of such a model."
        )
    if path.is_dir():
        raise UserError(f"--output ({path}) is a folder; name a file.")
    check_writable(str(path))
    trained = load_trained(cfg, checkpoint)
    interface = find_interface(trained, size, views)
    program = trace(trained.model, interface, cfg)
    described = metadata(trained, interface, config)
    partial = path.with_name(f".{path.stem}.partial{FORMATS[format]}")
    try:
        if format == "onnx":
            write_onnx(program, partial, (INPUT, interface.output), described, opset)
        else:
            write_program(program, partial, described)
        del program
        difference = None
        if check:
            run = run_onnx(partial) if format == "onnx" else run_program(partial)
            difference = largest_difference(run, trained.model, interface)
            if difference > TOLERANCE:
                raise UserError(
                    f"the exported file differs from the network by {difference:.1e} (largest relative difference), more than "
                    f"{TOLERANCE:.0e}, and was not kept; --no-check keeps it."
                )
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return ExportedFile(path, interface, trained.class_names, opset if format == "onnx" else None, difference)


def _check_torch() -> None:
    """Before the rest of this folder is imported, which an old torch cannot."""
    if not hasattr(getattr(torch.onnx, "ONNXProgram", None), "rename_axes"):
        raise UserError(
            f"torch ({torch.__version__}) is too old for the export; install the version that requirements/constraints.txt names."
        )
