"""The classifier of a checkpoint comes into the label order of the data, with all that belongs to its rows."""

import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import BaseLoop
from torch import nn

from cgc_video.engine.hooks.class_order import ClassOrderHook, classifier_names, trained_classes
from cgc_video.errors import UserError

NAMES = ["a", "b", "c"]


class Head(nn.Module):
    def __init__(self, num_classes: int = 3) -> None:
        super().__init__()
        self.backbone = nn.Linear(4, 3)  # as many outputs as classes, and yet no classifier
        self.cls_head = nn.Module()
        self.cls_head.fc_cls = nn.Linear(3, num_classes)


class Loop(BaseLoop):
    def __init__(self, names) -> None:
        self.dataloader = SimpleNamespace(dataset=SimpleNamespace(metainfo=dict(classes=names)))

    def run(self):
        raise NotImplementedError


def runner(model, names, training: bool = True, resume: bool = False, optimizer=None):
    return SimpleNamespace(
        model=model,
        logger=logging.getLogger("test"),
        _resume=resume,
        _train_loop=Loop(names) if training else dict(type="NotBuilt"),
        _test_loop=None if training else Loop(names),
        _val_loop=None,
        optim_wrapper=SimpleNamespace(optimizer=optimizer),
    )


def checkpoint_of(model, names=NAMES, **more) -> dict:
    return {"state_dict": {k: v.clone() for k, v in model.state_dict().items()},
            "meta": {"dataset_meta": {"classes": names}}, **more}  # fmt: skip


@pytest.mark.parametrize("training", [True, False], ids=["load_from", "test"])
def test_scores_follow_the_names(training, caplog):
    model, x = Head(), torch.randn(5, 3)
    before = model.cls_head.fc_cls(x)
    checkpoint = checkpoint_of(model)
    checkpoint["state_dict"] = {f"module.{key}": value for key, value in checkpoint["state_dict"].items()}
    with caplog.at_level("INFO"):
        ClassOrderHook().after_load_checkpoint(runner(model, ["c", "a", "b"], training), checkpoint)
    assert "permuted by class name (3 of 3 labels changed)" in caplog.text
    assert caplog.text.count("\n") == 1
    model.load_state_dict({key.removeprefix("module."): value for key, value in checkpoint["state_dict"].items()})
    torch.testing.assert_close(model.cls_head.fc_cls(x), before[:, [2, 0, 1]])
    assert checkpoint["meta"]["dataset_meta"]["classes"] == ["c", "a", "b"]


def test_the_same_order_and_nameless_checkpoints_are_left_alone():
    model = Head()
    for names, data in ((NAMES, NAMES), (None, ["c", "a", "b"]), (NAMES, None)):
        checkpoint = checkpoint_of(model, names)
        ClassOrderHook().after_load_checkpoint(runner(model, data), checkpoint)
        assert all(torch.equal(checkpoint["state_dict"][key], value) for key, value in model.state_dict().items())


def test_a_head_of_any_kind_is_fine_in_the_same_order():
    model = nn.Module()
    model.cls_head = nn.Identity()
    ClassOrderHook().after_load_checkpoint(runner(model, NAMES), checkpoint_of(model))


def test_other_classes_are_refused():
    model = Head()
    with pytest.raises(UserError, match="'d'"):
        ClassOrderHook().after_load_checkpoint(runner(model, ["a", "b", "d"]), checkpoint_of(model))
    with pytest.raises(UserError, match="knows 3 classes and the data names 2"):  # a test starts nothing afresh
        ClassOrderHook().after_load_checkpoint(runner(Head(2), ["a", "b"], training=False), checkpoint_of(model))


def test_a_checkpoint_that_names_a_part_of_its_classes():
    """As MMAction2's own tools write it for a class file that is shorter than the model's classes."""
    wanted = ["b", "a", "(unnamed class 2)"]
    checkpoint, model = checkpoint_of(Head(), ["a", "b"]), Head()
    bias = checkpoint["state_dict"]["cls_head.fc_cls.bias"]
    ClassOrderHook().after_load_checkpoint(runner(model, wanted), checkpoint)
    assert torch.equal(checkpoint["state_dict"]["cls_head.fc_cls.bias"], bias[[1, 0, 2]])


def test_a_new_training_on_more_classes_starts_its_classifier_afresh(caplog):
    checkpoint = checkpoint_of(Head())
    with caplog.at_level("INFO"):
        ClassOrderHook().after_load_checkpoint(runner(Head(5), list("abcde")), checkpoint)
    assert sorted(checkpoint["state_dict"]) == ["backbone.bias", "backbone.weight"]
    assert "tells 3 classes apart, the data 5: the classifier starts afresh" in caplog.text


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam], ids=["sgd", "adam"])
def test_momentum_and_averages_go_along_when_resuming(kind):
    options = dict(lr=0.1, momentum=0.9) if kind is torch.optim.SGD else dict(lr=0.1)

    def make(model):  # two groups, so that the numbers of the state are not those of the parameters
        return kind([dict(params=model.cls_head.parameters()), dict(params=model.backbone.parameters())], **options)

    def step(model, optimizer, permutation):
        torch.manual_seed(1)
        x, target = torch.randn(8, 4), torch.tensor([0, 1, 2, 0, 1, 2, 1, 1])
        scores = model.cls_head.fc_cls(model.backbone(x))
        nn.functional.cross_entropy(scores, permutation[target]).backward()
        optimizer.step()
        optimizer.zero_grad()

    names, order = ["c", "a", "b"], [2, 0, 1]
    new_label = torch.tensor([names.index(name) for name in NAMES])
    torch.manual_seed(0)
    old = Head()
    old_optimizer = make(old)
    step(old, old_optimizer, torch.arange(3))
    checkpoint = checkpoint_of(old, optimizer=old_optimizer.state_dict())
    checkpoint["optimizer"]["state"] = {
        i: {k: v.clone() if torch.is_tensor(v) else v for k, v in buffers.items()}
        for i, buffers in checkpoint["optimizer"]["state"].items()
    }
    checkpoint["ema_state_dict"] = {"steps": torch.tensor(1), "module.cls_head.fc_cls.bias": torch.tensor([1.0, 2, 3])}
    new = Head()
    new_optimizer = make(new)
    hook_runner = runner(new, names, resume=True, optimizer=new_optimizer)
    ClassOrderHook().after_load_checkpoint(hook_runner, checkpoint)
    new.load_state_dict(checkpoint["state_dict"])
    new_optimizer.load_state_dict(checkpoint["optimizer"])
    assert checkpoint["ema_state_dict"]["module.cls_head.fc_cls.bias"].tolist() == [3, 1, 2]
    step(old, old_optimizer, torch.arange(3))
    step(new, new_optimizer, new_label)
    torch.testing.assert_close(new.cls_head.fc_cls.weight, old.cls_head.fc_cls.weight[order])
    torch.testing.assert_close(new.cls_head.fc_cls.bias, old.cls_head.fc_cls.bias[order])


def test_classifier_names():
    assert classifier_names(Head(), 3) == ["cls_head.fc_cls.weight", "cls_head.fc_cls.bias"]
    with pytest.raises(UserError, match="no single layer with 7 outputs"):
        classifier_names(Head(), 7)
    two = Head()
    two.cls_head.fc1 = nn.Linear(3, 3)
    assert classifier_names(two, 3) == ["cls_head.fc_cls.weight", "cls_head.fc_cls.bias"]


def test_trained_classes():
    assert trained_classes({"meta": {"dataset_meta": {"CLASSES": ("a", "b")}}}) == ["a", "b"]
    assert trained_classes({"meta": None}) is trained_classes({}) is trained_classes([]) is None
