"""Multi-view testing in chunks."""

import logging

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import DefaultScope

from cgc_video.models.lazy_views import SampleViews


def build(kind: str, views_per_forward: int = 8) -> torch.nn.Module:
    preprocess = dict(type="ActionDataPreprocessor", mean=[120.0] * 3, std=[60.0] * 3)
    if kind == "2d":
        cfg = dict(
            type="ClipRecognizer2D",
            backbone=dict(type="TSMResNet", depth=18, num_segments=2, conv_cfg=dict(type="CGC3d")),
            cls_head=dict(type="TSMHead", num_classes=5, in_channels=512, num_segments=2, average_clips="prob"),
            data_preprocessor=dict(**preprocess, format_shape="NCHW"),
        )
    else:
        cfg = dict(
            type="ClipRecognizer3D",
            backbone=dict(type="P3DResNet", depth=18, conv_cfg=dict(type="CGC3d")),
            cls_head=dict(type="I3DHead", num_classes=5, in_channels=512, average_clips="prob"),
            data_preprocessor=dict(**preprocess, format_shape="NCTHW"),
        )
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(dict(**cfg, test_cfg=dict(views_per_forward=views_per_forward)))
    torch.nn.init.normal_(model.cls_head.fc_cls.weight)
    return model.eval()


def batch(kind: str, views: list[int]) -> dict:
    def sample(n: int) -> torch.Tensor:
        shape = (n * 2, 3, 32, 32) if kind == "2d" else (n, 3, 4, 32, 32)
        return torch.randint(256, shape, dtype=torch.uint8)

    return {
        "inputs": [sample(n) for n in views],
        "data_samples": [ActionDataSample().set_gt_label(i) for i in range(len(views))],
    }


@pytest.mark.parametrize("kind", ["2d", "3d"])
def test_chunks_of_any_size_give_the_same_scores(kind: str):
    model, data = build(kind, views_per_forward=100), batch(kind, [3, 1, 2])
    with torch.no_grad():
        expected = [s.pred_score.clone() for s in model.test_step(data)]
        for views_per_forward in (1, 2, 4):
            model.views_per_forward = views_per_forward
            scores = [s.pred_score for s in model.test_step(data)]
            torch.testing.assert_close(torch.stack(scores), torch.stack(expected))


@pytest.mark.parametrize("kind", ["2d", "3d"])
def test_scores_equal_those_of_mmaction2s_recognizer(kind: str):
    model, data = build(kind), batch(kind, [1, 1])
    with torch.no_grad():
        ours = torch.stack([s.pred_score.clone() for s in model.test_step(data)])
        processed = model.data_preprocessor({"inputs": data["inputs"], "data_samples": None})
        if kind == "3d":
            processed["inputs"] = torch.stack(data["inputs"]).sub(120.0).div(60.0)
        feats, kwargs = model.extract_feat(processed["inputs"], test_mode=True)
        theirs = model.cls_head(feats, **kwargs).softmax(1)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("kind", ["2d", "3d"])
def test_views_that_are_cut_on_demand_give_the_same_scores(kind: str):
    """What ``LazyViews`` hands over, against the tensor of all views."""
    model = build(kind, views_per_forward=2)
    frames = torch.randint(256, (6, 32, 40, 3), dtype=torch.uint8)
    boxes = torch.tensor([[0, 0, 32, 32], [8, 0, 40, 32], [4, 0, 36, 32]])
    places = torch.tensor([0, 1, 3, 5]) if kind == "2d" else torch.tensor([[0, 1, 2, 2], [3, 4, 5, 5]])
    whole = SampleViews(frames, places, boxes).cut(0, 3 * len(places))
    lazy = {"frames": [frames], "frame_places": [places], "boxes": [boxes]}
    with torch.no_grad():
        scores = [
            model.test_step({"inputs": inputs, "data_samples": [ActionDataSample().set_gt_label(0)]})[0].pred_score
            for inputs in ([whole], lazy)
        ]
    torch.testing.assert_close(*scores)


def test_no_forward_pass_exceeds_the_bound():
    model, data = build("2d", views_per_forward=3), batch("2d", [4, 4])
    frames = []
    model.backbone.register_forward_pre_hook(lambda module, args: frames.append(len(args[0])))
    with torch.no_grad():
        model.test_step(data)
    assert frames == [6, 6, 4]


def test_out_of_memory_halves_the_chunk_and_says_so_once(caplog):
    model, data = build("2d", views_per_forward=8), batch("2d", [4, 4])

    def limited(module, args):
        if len(args[0]) > 6:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    model.backbone.register_forward_pre_hook(limited)
    with caplog.at_level(logging.WARNING), torch.no_grad():
        assert len(model.test_step(data)) == 2
    assert model.views_per_forward == 2


def test_frames_that_do_not_fill_clips_are_named():
    model = build("2d")
    data = {"inputs": [torch.zeros(5, 3, 32, 32, dtype=torch.uint8)], "data_samples": [ActionDataSample()]}
    with pytest.raises(ValueError, match=r"num_segments \(2\) must divide the frame count \(5\)"):
        model.test_step(data)
