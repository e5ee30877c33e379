"""How the gate of a layer tells classes apart: distances between modulated kernels (the paper's A.1 and Fig. 5), gates over time."""

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))


import cgc_video  # noqa: F401  registers all types
from cgc_video.engine.cli import run_tool
from cgc_video.engine.guards.overrides import OptionAction

EXAMPLE = """\
example:
  python tools/analysis/gates.py configs/tsm_r18_cgc_mini.py work_dirs/quickstart/epoch_5.pth
prints:
  backbone.layer4.1.conv2.conv: 256 samples of 8 classes
  inter-class distance > intra-class distance for 100.0 % of the 56 pairs of classes
  work_dirs/gates/tsm_r18_cgc_mini/gate_distances.csv
  ...
The distance matrix is a CSV and a heat map; a layer with one gate per frame also gets its gates over time.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config of the model")
    parser.add_argument("checkpoint", help="checkpoint (.pth) of that model")
    parser.add_argument("--layer", help="name of a gated layer (default: the last one)")
    parser.add_argument("--split", choices=["train", "val", "test"], default="val", help="samples (default: val)")
    parser.add_argument("--output", type=Path, help="folder of the files (default: work_dirs/gates/<config name>)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    parser.add_argument(
        "--cfg-options", nargs="+", action=OptionAction, metavar="KEY=VALUE", help="as in tools/train.py"
    )
    return parser


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    from cgc_video.analysis.gates.report import analyse_gates
    from cgc_video.analysis.layers import last_gated_layer
    from cgc_video.engine.config import load_config
    from cgc_video.engine.trained import build_loader, load_trained

    trained = load_trained(load_config(args.config, args.cfg_options), args.checkpoint, args.device)
    layer = args.layer or last_gated_layer(trained.model)
    output = args.output or Path("work_dirs", "gates", Path(args.config).stem)
    statistics, files = analyse_gates(trained, layer, build_loader(trained.cfg, args.split), output)
    classes = len(statistics.labels)
    print(f"{layer}: {statistics.counts.sum():,} samples of {classes} classes")
    pairs = classes * (classes - 1)
    print(f"inter-class distance > intra-class distance for {statistics.share:.1%} of the {pairs:,} pairs of classes")
    print(*files, sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
