"""What a run adds to a config."""

import numpy as np
import pytest
import torch
from mmengine.config import Config

from cgc_video.engine.prepare import (
    add_hooks,
    check_same_classes,
    configure_reports,
    name_classes,
    plain_metrics,
    segments_per_view,
)
from cgc_video.errors import UserError


def config(tmp_path, num_classes: int = 2) -> Config:
    dataset = dict(type="VideoDataset", ann_file=str(tmp_path / "list.txt"), pipeline=[])
    loader = dict(dataset=dict(type="RepeatDataset", times=1, dataset=dataset))
    return Config(dict(model=dict(cls_head=dict(num_classes=num_classes)), train_dataloader=loader, work_dir="out"))


def test_class_names_beside_the_list_go_into_the_data_set(tmp_path):
    cfg = config(tmp_path)
    assert name_classes(cfg, "train") is None
    (tmp_path / "classes.txt").write_text("left\nright\n")
    assert name_classes(cfg, "train") == ["left", "right"]
    dataset = cfg.train_dataloader.dataset.dataset
    assert dataset.metainfo == dict(classes=["left", "right"])
    dataset.metainfo = dict(classes=("a", "b"))  # the config's own go first
    assert name_classes(cfg, "train") == ["a", "b"]
    assert name_classes(cfg, "val") is None


def test_more_class_names_than_classes_are_refused(tmp_path):
    (tmp_path / "classes.txt").write_text("left\nright\nup\n")
    with pytest.raises(UserError, match="names 3 classes, but model.cls_head.num_classes is 2; make them equal"):
        name_classes(config(tmp_path), "train")


def test_classes_without_a_name_are_told_and_numbered(tmp_path, caplog):
    """A part of a data set, such as the rendered one in the place of Something-Something v1, trains its config."""
    (tmp_path / "classes.txt").write_text("left\nright\n")
    with caplog.at_level("WARNING"):
        names = name_classes(config(tmp_path, num_classes=4), "train")
    assert names == ["left", "right", "(unnamed class 2)", "(unnamed class 3)"]


def test_a_class_file_named_by_the_data_set_goes_first(tmp_path):
    (tmp_path / "classes.txt").write_text("left\nright\n")
    (tmp_path / "other.txt").write_text("up\ndown\n")
    cfg = config(tmp_path)
    cfg.train_dataloader.dataset.dataset.class_file = str(tmp_path / "other.txt")
    assert name_classes(cfg, "train") == ["up", "down"]


def test_training_and_validation_agree_on_labels():
    check_same_classes(["a", "b"], ["a", "b"])
    check_same_classes(["a", "b"], None)
    with pytest.raises(UserError, match="label 1 is 'b' in the training data and 'c' in the validation data"):
        check_same_classes(["a", "b"], ["a", "c"])
    with pytest.raises(UserError, match="label 1 is 'b' in the training data and none in the validation data"):
        check_same_classes(["a", "b"], ["a"])


def test_hooks_are_added_once():
    cfg = Config(dict(default_hooks=dict(a=dict(type="A"), b=None), custom_hooks=[dict(type="B")]))
    add_hooks(cfg, "A", "B", "C")
    assert [hook.type for hook in cfg.custom_hooks] == ["B", "C"]


def test_reports_get_a_folder():
    cfg = Config(dict(work_dir="out", test_evaluator=dict(type="AccMetric"), val_evaluator=[dict(type="ClassReport")]))
    configure_reports(cfg, "test", table=True)
    configure_reports(cfg, "val", table=False)
    assert [e.type for e in cfg.test_evaluator] == ["AccMetric", "ClassReport"]
    assert cfg.test_evaluator[1].out_dir == "out/eval"
    assert cfg.val_evaluator[0] == dict(
        type="ClassReport", out_dir="out/eval", file_prefix="val_", log_table=False, unit="clip"
    )


def test_segments_per_view():
    assert segments_per_view(Config(dict(model=dict(cls_head=dict(num_segments=8))))) == 8
    steps = [dict(type="SampleFrames", clip_len=1, num_clips=4, twice_sample=True)]
    loader = dict(dataset=dict(type="VideoDataset", pipeline=steps))
    assert segments_per_view(Config(dict(model=dict(), test_dataloader=loader))) == 4


def test_plain_metrics():
    metrics = {"a": np.float64(0.5), "b": torch.tensor(2), "c": 3, "d": torch.ones(2), "e": "text"}
    assert plain_metrics(metrics) == {"a": 0.5, "b": 2.0, "c": 3.0}


def test_a_data_set_that_skips_bad_files_gets_the_evaluator_that_counts():
    dataset = dict(type="ListedVideos", ann_file="list.txt", pipeline=[], skip_bad=True)
    cfg = Config(dict(work_dir="out", test_dataloader=dict(dataset=dataset), test_evaluator=dict(type="AccMetric")))
    configure_reports(cfg, "test", table=False)
    assert cfg.test_evaluator.type == "ScoredClips"
    assert [metric.type for metric in cfg.test_evaluator.metrics] == ["AccMetric", "ClassReport"]
