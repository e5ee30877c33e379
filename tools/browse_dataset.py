"""Write contact sheets of what the network sees: clips or images of a config's data set behind all transforms and the preprocessor."""

import argparse
import importlib.util
import random
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package beside this tool, whatever else is installed
if __name__ == "__main__":  # Ctrl-C is one line from here on, also while the rest loads
    runpy.run_path(str(Path(importlib.util.find_spec("cgc_video").origin).parent / "engine/guards/loading.py"))

import cv2
import numpy as np
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

import cgc_video  # noqa: F401  registers all types
from cgc_video.datasets.contact_sheets import draw_sheet, network_input, undo_normalisation, view_rows
from cgc_video.engine.build_errors import plain_build_errors
from cgc_video.engine.checks import check_data, check_types
from cgc_video.engine.cli import run_tool
from cgc_video.engine.config import load_config
from cgc_video.engine.data_config import sample_unit
from cgc_video.engine.guards.overrides import OptionAction
from cgc_video.engine.prepare import name_classes, segments_per_view
from cgc_video.errors import UserError

EXAMPLE = """\
example:
  python tools/browse_dataset.py configs/tsm_r18_mini.py --split train --number 4 --output work_dirs/browse
prints:
  768 clips of the train split, 4 frames and 1 view each
  work_dirs/browse/train_000000.png: 000001.mp4, Moving something left to right
  ...
Each PNG shows one clip: frames in a row, a row per clip or crop, under its class and file name.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("--split", choices=["train", "val", "test"], default="train", help="default: train")
    parser.add_argument("--number", type=int, default=8, help="samples, evenly spread over the list (default: 8)")
    parser.add_argument("--output", type=Path, help="folder of the pictures (default: work_dirs/browse/<config name>)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random transforms (default: 0)")
    parser.add_argument(
        "--cfg-options", nargs="+", action=OptionAction, metavar="KEY=VALUE", help="as in tools/train.py"
    )
    return parser


def build(cfg: Config, split: str) -> tuple:
    """The data set of a split and the model's data preprocessor."""
    if not cfg.get(f"{split}_dataloader"):
        raise UserError(f"the config has no {split}_dataloader; choose another --split.")
    check_types(cfg)
    check_data(cfg, (split,))
    name_classes(cfg, split)
    MMLogger.get_current_instance().setLevel("ERROR")  # the readers warn of MMEngine's own deprecations
    with plain_build_errors(cfg):
        dataset = DATASETS.build(cfg[f"{split}_dataloader"].dataset)
        preprocessor = cfg.model.get("data_preprocessor") or cfg.get("data_preprocessor")
        if not preprocessor:
            raise UserError(
                "the config's model has no data_preprocessor, which makes the network's input of videos or images; there is nothing to see."
            )
        return dataset, MODELS.build(preprocessor)


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@run_tool
def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.number < 1:
        raise UserError(f"--number ({args.number}) must be at least 1.")
    cfg = load_config(args.config, args.cfg_options)
    output = args.output or Path("work_dirs", "browse", Path(args.config).stem)
    output.mkdir(parents=True, exist_ok=True)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        dataset, preprocessor = build(cfg, args.split)
        names = dataset.metainfo.get("mapped_classes") or dataset.metainfo.get("classes")
        indices = sorted({round(i) for i in np.linspace(0, len(dataset) - 1, min(args.number, len(dataset)))})
        seed_all(args.seed)
        for position, index in enumerate(indices):
            sample, info = dataset[index], dataset.get_data_info(index)
            inputs = network_input(sample, preprocessor, training=args.split == "train")
            if inputs.ndim == 3:  # an image is a view of one frame
                inputs = inputs.unsqueeze(0)
            rows = view_rows(undo_normalisation(inputs, preprocessor), segments_per_view(cfg))
            label = int(sample["data_samples"].gt_label)
            name = names[label] if names else f"class {label}"
            clip = Path(info.get("filename") or info.get("frame_dir") or info.get("img_path", str(index))).name
            path = output / f"{args.split}_{index:06d}.png"
            if not cv2.imwrite(str(path), draw_sheet(rows, [f"{label}: {name}", clip])):
                raise UserError(f"{path} cannot be written; give another folder with --output.")
            if position == 0:
                unit = sample_unit(cfg, args.split)
                what = f"{rows.shape[1]} frames and {len(rows)} view{'s' if len(rows) > 1 else ''} each"
                what = f"{rows.shape[3]}x{rows.shape[2]} pixels each" if unit == "image" else what
                print(f"{len(dataset)} {unit}s of the {args.split} split, {what}")
            print(f"{path}: {clip}, {name}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
