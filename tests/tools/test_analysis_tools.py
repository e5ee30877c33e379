"""Grad-CAM and gate analysis as commands, on an untrained network and rendered clips."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.classes import CLASSES
from cgc_video.datasets.mini_sth.layout import MiniArguments
from tools.analysis import gates, gradcam

CONFIGS = {"gated": "tsm_r18_cgc_mini", "plain": "tsm_r18_mini", "temporal": "p3d_r18_cgc_mini"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository):
    """A rendered data set, and for each config an untrained checkpoint whose gates have something to say."""
    root = tmp_path_factory.mktemp("analysis")
    build_mini(root / "data" / "mini_sth", MiniArguments(train=8, val=16, size=64, frames=8))
    torch.manual_seed(0)
    for name, config in CONFIGS.items():
        cfg = Config.fromfile(str(repository / f"configs/{config}.py"))
        with DefaultScope.overwrite_default_scope("mmaction"):
            model = MODELS.build(cfg.model)
        for key, parameter in model.named_parameters():
            if ".gate.decode" in key:
                torch.nn.init.normal_(parameter)
        meta = {"dataset_meta": {"classes": list(CLASSES)}}
        torch.save({"meta": meta, "state_dict": model.state_dict()}, root / f"{name}.pth")
    return root


@pytest.fixture
def model(folder, repository, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda name: [str(repository / f"configs/{CONFIGS[name]}.py"), f"{name}.pth"]


@pytest.fixture
def video(folder) -> str:
    return str(next((folder / "data/mini_sth/videos").iterdir()))


def test_gradcam_of_a_clip(model, video, tmp_path, capsys):
    assert gradcam.main([*model("plain"), video, "--layer", "backbone.layer1", "--output", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{video}: ")
    assert [Path(line.strip()).suffix for line in lines[1:]] == [".png", ".gif", ".mp4"]
    assert all(Path(line.strip()).is_file() for line in lines[1:])


@pytest.mark.parametrize("name", ["gated", "temporal"])
def test_the_layout_of_fig_4(name, model, video, tmp_path):
    assert gradcam.main([*model(name), video, "--gate", "--plain", *model("plain"), "--output", str(tmp_path)]) == 0
    rows = 5  # frames; plain; before, context, after
    assert cv2.imread(str(next(tmp_path.glob("*.png")))).shape[0] == rows * (20 + 160 + 2)


def test_what_gradcam_refuses(model, video, capsys):
    arguments = [*model("gated"), video]
    for options, sentence in (
        (["--layer", "backbone.layr1"], "layer (backbone.layr1) is not in the model; did you mean backbone.layer1?"),
        (["--layer", "cls_head.fc_cls"], "a map takes one that gives (N, C, H, W)"),
        (["--gate", "--layer", "backbone.layer1"], "layer (backbone.layer1) has no gate"),
        (["--target", "Moving something leftt"], "did you mean 'Moving something"),
        (["--plain", "a", "b"], "give --gate, too"),
    ):
        assert gradcam.main([*arguments, *options]) == 2
        assert sentence in capsys.readouterr().err


def test_a_source_that_cannot_be_read_stops_no_other(model, video, tmp_path, capsys):
    assert gradcam.main([*model("plain"), "gone.mp4", video, "--output", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert "gone.mp4 does not exist" in printed.err
    assert video in printed.out


def test_gates_per_frame(model, tmp_path, capsys):
    assert gates.main([*model("gated"), "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "backbone.layer4.1.conv2.conv: 16 samples of 8 classes" in out
    assert "of the 56 pairs of classes" in out
    with (tmp_path / "gate_distances.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list(CLASSES)
    assert all(row["samples"] == "2" for row in rows)
    with (tmp_path / "gate_over_time.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 8 * 4
    for name in ("gate_distances.png", "gate_over_time.png"):
        assert np.ptp(cv2.imread(str(tmp_path / name))) > 100


def test_gates_of_a_plain_network_are_an_error(model, capsys):
    assert gates.main(model("plain")) == 2
    assert "the model has no gated layer" in capsys.readouterr().err
