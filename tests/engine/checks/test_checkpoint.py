"""How a checkpoint is held against a model."""

import re

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from torch import nn

from cgc_video.engine.checks.checkpoint import check_resume, check_weights, compare_state
from cgc_video.errors import UserError
from cgc_video.models import TSNResNet


class Model(nn.Module):
    def __init__(self, gate: bool = False, width: int = 4, classes: int = 2) -> None:
        super().__init__()
        self.backbone = nn.Module()
        for index in range(5):
            conv = nn.Conv2d(3, width, 3, bias=False)
            if gate:
                conv.gate = nn.Linear(2, 2)
            self.backbone.add_module(f"conv{index}", conv)
        self.cls_head = nn.Linear(width, classes)


def save(path, model, **more) -> str:
    torch.save({"state_dict": model.state_dict(), **more}, path)
    return str(path)


def test_compare_state():
    expected = {"a": torch.ones(2), "b": torch.ones(3), "c": torch.ones(1), "n.num_batches_tracked": torch.ones(1)}
    given = {"a": torch.ones(2), "b": torch.ones(4), "d": torch.ones(1)}
    match = compare_state(expected, given)
    assert (match.matched, match.missing, match.unexpected) == (["a"], ["c"], ["d"])
    assert match.mismatched == ["b (4,) for (3,)"]
    assert not match.complete
    assert "1 missing (c)" in str(match)


def test_a_test_needs_every_entry(tmp_path):
    own = save(tmp_path / "own.pth", Model())
    check_weights(Model(), own, complete=True)
    with pytest.raises(UserError, match="another model.*mismatched"):
        check_weights(Model(width=8), own, complete=True)
    with pytest.raises(UserError, match="10 missing .backbone.conv0.gate.weight"):
        check_weights(Model(gate=True), own, complete=True)


def test_a_test_needs_the_classes_of_the_training(tmp_path):
    own = save(tmp_path / "own.pth", Model(), meta={"dataset_meta": {"classes": ["left", "right"]}})
    for names in (["left", "right"], ["right", "left"], None):  # ClassOrderHook permutes the second
        check_weights(Model(), own, complete=True, class_names=names)
    with pytest.raises(
        UserError, match=r"1 of its classes are not in the data \('right'\); 1 of .* \('up'\); use the data"
    ):
        check_weights(Model(), own, complete=True, class_names=["left", "up"])
    with pytest.raises(UserError, match=r"1 of the data's classes are not in it \('up'\)"):
        check_weights(Model(), own, complete=True, class_names=["left", "right", "up"])


def test_a_training_starts_from_other_classes_only_if_the_classifier_cannot_be_mistaken(tmp_path):
    own = save(tmp_path / "own.pth", Model(), meta={"dataset_meta": {"classes": ["left", "right"]}})
    for names in (["right", "left"], None):
        check_weights(Model(), own, complete=False, class_names=names)
    check_weights(Model(classes=3), own, complete=False, class_names=["a", "b", "c"])
    with pytest.raises(UserError, match=r"'left', 'right'.*'a', 'b'.*model.backbone.pretrained=<checkpoint>"):
        check_weights(Model(), own, complete=False, class_names=["a", "b"])


def test_training_may_start_from_a_plain_backbone(tmp_path):
    plain = save(tmp_path / "plain.pth", Model())
    check_weights(Model(gate=True), plain, complete=False)
    with pytest.raises(UserError, match="fits only 0 of 5 entries"):
        check_weights(Model(width=8), plain, complete=False)


def test_other_additions_of_a_plain_backbone_may_be_missing_too(tmp_path):
    plain, model = save(tmp_path / "plain.pth", Model()), Model()
    model.backbone.layer1 = nn.ModuleDict({"plugin": nn.ModuleList(nn.Linear(2, 2) for _ in range(9))})
    check_weights(model, plain, complete=False)


@pytest.mark.parametrize("complete", [True, False])
def test_an_image_classifier_takes_torchvisions_names(tmp_path, complete: bool):
    cfg = dict(
        type="ImageClassifier",
        backbone=dict(type="ImageResNet", depth=18),
        cls_head=dict(type="LinearHead", in_channels=512, num_classes=10),
    )
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg)
    plain = TSNResNet(18).state_dict()
    renames = {".downsample.conv.": ".downsample.0.", ".downsample.bn.": ".downsample.1.", ".conv.weight": ".weight"}
    state = {"fc.weight": torch.zeros(10, 512), "fc.bias": torch.zeros(10)}
    for key, value in plain.items():
        for ours, theirs in renames.items():
            key = key.replace(ours, theirs)
        state[re.sub(r"conv(\d)\.bn\.", r"bn\1.", key)] = value
    assert {"bn1.weight", "layer2.0.downsample.1.weight", "layer2.0.conv1.weight"} <= set(state)
    torch.save(state, tmp_path / "resnet18.pth")
    check_weights(model, str(tmp_path / "resnet18.pth"), complete=complete)
    del state["layer4.1.conv2.weight"]
    torch.save(state, tmp_path / "part.pth")
    with pytest.raises(UserError, match="1 missing .backbone.layer4.1.conv2.conv.weight"):
        check_weights(model, str(tmp_path / "part.pth"), complete=True)


def test_a_parallel_wrapper_leaves_no_trace(tmp_path):
    state = {f"module.{key}": value for key, value in Model().state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "wrapped.pth")
    check_weights(Model(), str(tmp_path / "wrapped.pth"), complete=True)


def test_resume(tmp_path):
    meta = dict(epoch=1, iter=10)
    full = save(tmp_path / "full.pth", Model(), optimizer={}, meta=meta)
    check_resume(Model(), full, str(tmp_path))
    named = save(tmp_path / "named.pth", Model(), optimizer={}, meta={**meta, "dataset_meta": {"classes": ["a", "b"]}})
    check_resume(Model(), named, str(tmp_path), ["b", "a"])
    with pytest.raises(UserError, match="--resume .* was trained on other classes: .*'a'"):
        check_resume(Model(), named, str(tmp_path), ["b", "c"])
    with pytest.raises(UserError, match="weights only: use load_from"):
        check_resume(Model(), save(tmp_path / "weights.pth", Model()), str(tmp_path))
    with pytest.raises(UserError, match="another model"):
        check_resume(Model(width=8), full, str(tmp_path))


def test_resume_from_a_work_dir(tmp_path):
    check_resume(Model(), None, str(tmp_path))  # nothing there: a fresh start
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "gone.pth"))
    with pytest.raises(UserError, match="is gone"):
        check_resume(Model(), None, str(tmp_path))
