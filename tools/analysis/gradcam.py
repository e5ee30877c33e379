"""Where a network finds a class: Grad-CAM and Grad-CAM++ over videos and images, and the paper's Fig. 4 around a gate."""

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
from cgc_video.engine.output import check_writable
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/analysis/gradcam.py configs/tsm_r18_cgc_mini.py work_dirs/quickstart/epoch_5.pth \\
      data/mini_sth/videos/100001.mp4 --layer backbone.layer1
prints:
  data/mini_sth/videos/100001.mp4: Moving something left to right (99.7%)
    work_dirs/gradcam/100001.png
    work_dirs/gradcam/100001.gif
    work_dirs/gradcam/100001.mp4
With --gate, the rows are those of Fig. 4: a plain network's features (--plain CONFIG CHECKPOINT), the features before the gated layer, the context
that it pools, the features after it.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "config", help="config of the model; its test pipeline samples the inputs, the first view is shown"
    )
    parser.add_argument("checkpoint", help="checkpoint (.pth) of that model")
    parser.add_argument("sources", nargs="+", metavar="input", help="video files, folders of frames, or images")
    parser.add_argument("--layer", help="layer by name (default: the last stage; with --gate the last gated layer)")
    parser.add_argument("--method", choices=["gradcam", "gradcam++"], help="default: gradcam; with --gate gradcam++")
    parser.add_argument("--target", help="class to explain, by name or number (default: the predicted one)")
    parser.add_argument("--gate", action="store_true", help="the layout of Fig. 4")
    parser.add_argument("--plain", nargs=2, metavar=("CONFIG", "CHECKPOINT"), help="with --gate: the plain network")
    parser.add_argument("--output", type=Path, default=Path("work_dirs/gradcam"), help="folder (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    return parser


def target_class(name: str | None, class_names: list[str]) -> int | None:
    from cgc_video.engine.names import suggestion

    if name is None:
        return None
    if name in class_names:
        return class_names.index(name)
    if name.isdecimal() and int(name) < len(class_names):
        return int(name)
    raise UserError(
        f"--target ({name}) is no class of the checkpoint{suggestion(name, class_names)}; give its name or number."
    )


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    check_writable(str(args.output / "x"), "--output")
    if args.plain and not args.gate:
        raise UserError("--plain shows a network beside a gated one; give --gate, too.")
    from cgc_video.analysis.gradcam.explain import explain, explain_gate, first_view, last_feature_layer
    from cgc_video.analysis.gradcam.report import write_explanation
    from cgc_video.apis import load_recognizer
    from cgc_video.apis.sources import expand_sources, output_names

    gated = load_recognizer(args.config, args.checkpoint, args.device)
    plain = load_recognizer(*args.plain, args.device) if args.plain else None
    target = target_class(args.target, gated.class_names)
    method = args.method or ("gradcam++" if args.gate else "gradcam")
    failed = False
    sources = expand_sources(args.sources, gated.pipeline.takes_images)
    for name, source in zip(output_names(sources), sources, strict=True):
        try:
            inputs = first_view(gated.model, gated.pipeline(source))
        except UserError as error:  # the other inputs go on
            print(f"error: {error}", file=sys.stderr)
            failed = True
            continue
        if args.gate:
            found = [("", explain_gate(gated.model, inputs, args.layer, target, method))]
            if plain is not None:
                inputs = first_view(plain.model, plain.pipeline(source))
                layer = last_feature_layer(plain.model)
                found.insert(0, ("plain", explain(plain.model, inputs, layer, found[0][1].target, method)))
        else:
            layer = args.layer or last_feature_layer(gated.model)
            found = [("", explain(gated.model, inputs, layer, target, method))]
        best = found[-1][1]
        print(f"{source}: {gated.class_names[best.predicted]} ({best.probability:.1%})")
        for file in write_explanation(args.output / name, found, gated.class_names):
            print(f"  {file}", flush=True)
    return 2 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
