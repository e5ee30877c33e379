"""Grad-CAM of a trained model finds the object that moves."""

import os
from pathlib import Path

import numpy as np
import pytest

from cgc_video.analysis.gradcam.explain import explain, first_view
from cgc_video.datasets.mini_sth.boxes import object_boxes
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.layout import MiniArguments, list_clips
from cgc_video.datasets.mini_sth.scene import render_clip
from cgc_video.engine.trained import build_loader, load_trained

CONFIG = "configs/tsm_r18_cgc_mini.py"
WIDTH, HEIGHT, CROP = 36, 32, 2  # the config resizes to 36 x 32 and crops 2 pixels at each side


def test_the_box_moves_with_the_object():
    arguments = MiniArguments(train=8, val=8, size=64, frames=12)
    for clip in (clip for clip in list_clips(arguments) if clip.split == "val" and clip.label < 4):
        boxes = object_boxes(arguments, clip)
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        motion = centres[-1] - centres[0]
        axis, sign = {0: (0, 1), 1: (0, -1), 2: (1, -1), 3: (1, 1)}[clip.label]  # right, left, up, down
        assert motion[axis] * sign > 0.4
        assert len(boxes) == len(_frames(arguments, clip))


def _frames(arguments: MiniArguments, clip) -> np.ndarray:
    from cgc_video.datasets.mini_sth.build import clip_generator

    return render_clip(
        clip_generator(arguments.seed, clip.split, clip.index), clip.label, arguments.size, arguments.frames
    )


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_gradcam_is_stronger_inside_the_box_than_outside(tmp_path, monkeypatch, repository, capsys):
    from tools.train import main

    monkeypatch.chdir(tmp_path)
    arguments = MiniArguments()
    build_mini(tmp_path / "data" / "mini_sth", arguments, workers=os.cpu_count() or 1)
    assert main([str(repository / CONFIG), "--work-dir", "run", "--seed", "0"]) == 0
    trained = load_trained(str(repository / CONFIG), "run/epoch_5.pth")
    dataset = build_loader(trained.cfg, "val").dataset
    clips = {clip.path.name: clip for clip in list_clips(arguments)}
    inside, outside = [], []
    for index in range(0, len(dataset), 4):
        clip = clips[Path(dataset.get_data_info(index)["filename"]).name]
        boxes = object_boxes(arguments, clip)
        found = explain(trained.model, first_view(trained.model, dataset[index]), "backbone.layer1", clip.label)
        maps = found.maps["backbone.layer1"]
        shown = ((np.arange(len(maps)) + 0.5) * len(boxes) / len(maps)).astype(int)  # the middle of each segment
        left, top, right, bottom = (boxes[shown] * [WIDTH, HEIGHT, WIDTH, HEIGHT] - [CROP, 0, CROP, 0]).T[
            ..., None, None
        ]
        y, x = np.mgrid[: maps.shape[1], : maps.shape[2]] + 0.5
        mask = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        inside.append(maps[mask].mean())
        outside.append(maps[~mask].mean())
    ratio = np.mean(inside) / np.mean(outside)
    with capsys.disabled():
        print(f"Grad-CAM inside the box over outside: {ratio:.2f}")
    assert ratio > 2
