"""Shares of the time of ``predict``."""

import re

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.engine.config import load_config
from tools.benchmark import prediction


def test_parts_add_up(tmp_path, repository, capsys):
    config = str(repository / "configs" / "tsm_r18_mini.py")
    build_mini(tmp_path / "data", MiniArguments(train=8, val=8, size=64, frames=8))
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(load_config(config, {}).model)
    classes = [f"class {number}" for number in range(8)]
    torch.save({"meta": {"dataset_meta": {"classes": classes}}, "state_dict": model.state_dict()}, tmp_path / "m.pth")
    assert prediction.main([config, str(tmp_path / "m.pth"), str(tmp_path / "data" / "videos"), "--limit", "3"]) == 0
    text = capsys.readouterr().out
    assert "\n3 sources, " in text
    shares = [float(share) for share in re.findall(r"([\d.]+)%", text)]
    assert len(shares) == 3
    assert abs(sum(shares) - 100) < 0.2
    assert min(shares) > 0
    assert prediction.main([config, str(tmp_path / "m.pth"), str(tmp_path / "data"), "--limit", "0"]) == 2
