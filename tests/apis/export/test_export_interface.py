"""What an exported network takes, found from the pipelines of the configs."""

import json

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from cgc_video.apis.export.interface import find_interface
from cgc_video.apis.export.metadata import metadata
from cgc_video.apis.export.network import PixelNetwork
from cgc_video.engine.trained import TrainedModel
from cgc_video.errors import UserError


@pytest.fixture
def load(repository):
    def load(name: str, **options) -> TrainedModel:
        cfg = Config.fromfile(str(repository / f"configs/{name}.py"))
        cfg.merge_from_dict(options)
        cfg.model.backbone.update(pretrained=None, depth=20 if cfg.model.backbone.type == "CIFARResNet" else 18)
        cfg.model.cls_head.in_channels = 64 if cfg.model.backbone.type == "CIFARResNet" else 512
        with DefaultScope.overwrite_default_scope("mmaction"):
            return TrainedModel(cfg, MODELS.build(cfg.model), [str(i) for i in range(cfg.model.cls_head.num_classes)])

    return load


@pytest.mark.parametrize(
    ("name", "views", "shape"),
    [
        ("tsm_r50_sthv1", 1, (8, 3, 224, 224)),
        ("tsm_r50_sthv1_accurate", 6, (48, 3, 256, 256)),
        ("tsm_r50_k400", 30, (240, 3, 256, 256)),  # views that are cut on demand
        ("tsn_r18_mini", 6, (24, 3, 32, 32)),
        ("p3d_r50_sthv1", 30, (30, 3, 32, 256, 256)),
        ("p3d_r18_mini", 6, (6, 3, 16, 32, 32)),
        ("resnet50_imagenet", 1, (3, 224, 224)),
    ],
)
def test_test_pipelines(name: str, views: int, shape: tuple[int, ...], load):
    trained = load(name)
    interface = find_interface(trained)
    assert (interface.views, interface.shape) == (views, shape)
    described = metadata(trained, interface, f"somewhere/{name}.py")
    assert described["config"] == f"{name}.py"
    assert f"uint8 (batch, {', '.join(map(str, shape))})" in described["input"]
    assert all(isinstance(value, str) for value in described.values())
    assert json.loads(described["test_pipeline"])[-1]["type"].startswith("Pack")


def test_size_and_views_can_be_given(load):
    assert find_interface(load("tsm_r18_mini"), size=64, views=1).shape == (4, 3, 64, 64)
    assert find_interface(load("p3d_r18_mini"), views=2).shape == (2, 3, 16, 32, 32)
    assert find_interface(load("resnet20_digits"), size=8).shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("name", "options", "arguments", "sentence"),
    [
        (
            "resnet20_digits",
            {},
            {},
            "views of the source's own size, but an exported network has a fixed one; give --size",
        ),
        ("resnet20_digits", {}, {"size": 8, "views": 2}, "--views (2) is for videos"),
        ("tsm_r18_mini", {"model.cls_head.average_clips": None}, {}, "average_clips (None) of the head must be"),
        ("tsm_r18_mini", {"test_dataloader": None}, {}, "the config has no test_dataloader"),
        ("tsm_r18_mini", {"model.backbone.num_segments": 5}, {}, "num_segments (5) must divide the 24 frames"),
    ],
)
def test_what_is_refused(name, options, arguments, sentence, load):
    with pytest.raises(UserError) as caught:
        find_interface(load(name, **options), **arguments)
    assert sentence in str(caught.value)


def test_a_preprocessor_that_takes_bgr(load):
    trained = load("tsm_r18_mini", **{"model.data_preprocessor.to_rgb": True})
    interface = find_interface(trained, views=1)
    assert metadata(trained, interface, "a.py")["channels"] == "BGR"
    pixels = torch.randint(0, 256, (2, *interface.shape), dtype=torch.uint8)
    expected = trained.model.data_preprocessor({"inputs": list(pixels), "data_samples": None})["inputs"]
    torch.testing.assert_close(PixelNetwork(trained.model, interface).normalise(pixels), expected)


def test_another_preprocessor_is_refused(load):
    trained = load("tsm_r18_mini", **{"model.data_preprocessor.format_shape": "MIX2d3d"})
    with pytest.raises(
        UserError, match="data_preprocessor .ActionDataPreprocessor, format_shape MIX2d3d. cannot be exp"
    ):
        PixelNetwork(trained.model, find_interface(trained))
