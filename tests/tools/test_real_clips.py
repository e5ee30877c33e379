"""Videos as people have them (H.264 and MPEG-4, MP4 and AVI) through the project's own configs and tools, 10 clips x 3 crops."""

import csv
import json
from pathlib import Path

import pytest
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from cgc_video.models.lazy_views import batch_samples
from tools.test import main as run_test
from tools.train import main as train_main

NAMES = ["demo.mp4", "test.mp4", "test.avi"]


@pytest.fixture
def options(clips: Path, tmp_path: Path) -> list[str]:
    """Settings that put the three clips, as three classes, in the place of the mini data set."""
    (tmp_path / "list.txt").write_text("".join(f"{name} {label}\n" for label, name in enumerate(NAMES)))
    (tmp_path / "classes.txt").write_text("".join(f"{name}\n" for name in NAMES))
    options = ["model.cls_head.num_classes=3", "train_cfg.max_epochs=1", "param_scheduler=None"]
    for split in ("train", "val", "test"):
        options += [
            f"{split}_dataloader.dataset.ann_file={tmp_path / 'list.txt'}",
            f"{split}_dataloader.dataset.data_prefix.video={clips}",
            f"{split}_dataloader.num_workers=0",
            f"{split}_dataloader.persistent_workers=False",
            f"{split}_dataloader.batch_size=3",
        ]
    return options


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_pipelines_of_kinetics_take_them(clips: Path, repository: Path, tmp_path: Path, name: str, split: str):
    (tmp_path / "list.txt").write_text(f"{name} 0\n")
    dataset = Config.fromfile(str(repository / "configs" / "tsm_r50_cgc_k400.py"))[f"{split}_dataloader"].dataset
    dataset.update(ann_file=str(tmp_path / "list.txt"), data_prefix=dict(video=str(clips)))
    with DefaultScope.overwrite_default_scope("mmaction"):
        inputs = batch_samples(pseudo_collate([DATASETS.build(dataset)[0]])["inputs"])[0]
    assert tuple(inputs.shape) == ((8, 3, 224, 224) if split == "train" else (10 * 3 * 8, 3, 256, 256))
    frames = inputs if split == "train" else inputs.cut(0, len(inputs))
    assert frames.float().std() > 10


@pytest.mark.parametrize("name", ["tsm_r18_cgc_mini", "p3d_r18_cgc_mini"])
def test_training_and_ten_by_three_testing(name: str, repository: Path, tmp_path: Path, options: list[str], capsys):
    config = str(repository / "configs" / f"{name}.py")
    work_dir = tmp_path / "work"
    assert train_main([config, "--work-dir", str(work_dir), "--cfg-options", *options]) == 0
    views = ["test_dataloader.dataset.pipeline.1.num_clips=10"] if name.startswith("p3d") else []
    if name.startswith("tsm"):  # dense sampling at 10 positions, as on Kinetics
        cfg = Config.fromfile(config)
        cfg.test_dataloader.dataset.pipeline[1] = dict(
            type="DenseSampleFrames", clip_len=1, num_clips=4, sample_range=64, num_sample_positions=10, test_mode=True
        )
        cfg.dump(str(tmp_path / "dense.py"))
        config = str(tmp_path / "dense.py")
    capsys.readouterr()
    arguments = [config, str(work_dir / "epoch_1.pth"), "--work-dir", str(work_dir)]
    assert run_test([*arguments, "--cfg-options", *options, *views]) == 0
    result = json.loads((work_dir / "eval" / "metrics.json").read_text())
    assert (result["clips"], result["views_per_clip"]) == (3, 30)
    with (work_dir / "eval" / "test_per_class.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == NAMES
