"""Write a trained model as one file that runs without this package: ONNX, or a program of torch.export."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import cgc_video  # noqa: F401  registers all types
from cgc_video.engine.cli import run_tool

EXAMPLE = """\
example:
  python tools/export.py configs/tsm_r18_cgc_mini.py work_dirs/quickstart/epoch_5.pth
prints what the file takes and gives, and how far it is from the network:
  work_dirs/quickstart/epoch_5.onnx: ONNX, opset 18, 44.8 MB
    pixels: uint8 (batch, 24, 3, 32, 32): 6 views (clips and crops) of 4 RGB frames of 32 x 32, 0 to 255, view after view
    probabilities: float32 (batch, 8)
    largest relative difference from the network: 2.3e-07 (limit 1e-04), in batches of 1 and 2
Normalisation, network, head and the average over views are inside; the batch is free, all other sizes are fixed. Class names, sizes and the
test pipeline travel in the file's metadata. Memory grows with the views (--views 1: one clip and crop), and a gated convolution takes kh * kw
times its input's. Translation models cannot be exported.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "config", help="config of the model; its test pipeline says how many views of what size there are"
    )
    parser.add_argument("checkpoint", help="checkpoint (.pth) of that model")
    parser.add_argument("--output", help="file to write (default: the checkpoint's path, as .onnx or .pt2)")
    parser.add_argument(
        "--format",
        choices=["onnx", "torch-export"],
        default="onnx",
        help="onnx needs `pip install -e .[export]` (default: onnx)",
    )
    parser.add_argument("--opset", type=int, default=18, help="of ONNX, 18 to 23 (default: 18)")
    parser.add_argument("--size", type=int, help="height and width of a view, in place of the test pipeline's")
    parser.add_argument("--views", type=int, help="clips and crops per video, in place of the test pipeline's")
    parser.add_argument(
        "--no-check", dest="check", action="store_false", help="do not run the file beside the network on random pixels"
    )
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    from cgc_video.apis.export import export_model
    from cgc_video.apis.export.parity import TOLERANCE

    written = export_model(
        args.config, args.checkpoint, args.output, args.format, args.opset, args.size, args.views, args.check
    )
    kind = "torch.export" if written.opset is None else f"ONNX, opset {written.opset}"
    print(f"{written.path}: {kind}, {written.path.stat().st_size / 1e6:.1f} MB")
    shape = ", ".join(map(str, written.interface.shape))
    print(f"  pixels: uint8 (batch, {shape}): {written.interface.describe()}")
    print(f"  {written.interface.output}: float32 (batch, {len(written.class_names)})")
    if written.difference is not None:
        difference = f"{written.difference:.1e} (limit {TOLERANCE:.0e})"
        print(f"  largest relative difference from the network: {difference}, in batches of 1 and 2")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
