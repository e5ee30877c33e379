"""``tools/train.py``: a whole run on tiny clips, resuming, and every start-up error."""

import csv
import importlib.util
import logging
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger

TOOL = Path(__file__).parents[2] / "tools" / "train.py"


@pytest.fixture(scope="module")
def train():
    spec = importlib.util.spec_from_file_location("cgc_tools_train", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture
def fails(train, capsys):
    """Run the tool, expect exit code 2 and one line on stderr without a traceback; returns that line."""

    def run(*argv: str) -> str:
        assert train(list(argv)) == 2
        error = capsys.readouterr().err
        assert "Traceback" not in error
        lines = [line for line in error.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, error
        assert error.rstrip().endswith(lines[0])
        return lines[0]

    return run


def test_trains_and_resumes(train, tiny_config, capsys):
    config = tiny_config()
    assert train([config, "--seed", "1", "--work-dir", "out"]) == 0
    printed = capsys.readouterr().out
    for text in ("Start-up summary", "11,178,051", "5 training clips, 5 validation clips, 3 classes", "eta:", "loss:"):
        assert text in printed
    assert "paramwise_options" not in printed
    assert "System environment" not in printed
    names = {p.name for p in Path("out").iterdir()}
    assert {"epoch_1.pth", "curves.png", "curves.csv", "eval", "tiny.py"} <= names
    assert {"val_per_class.csv", "val_confusion_matrix.png"} <= {p.name for p in Path("out/eval").iterdir()}

    meta = torch.load("out/epoch_1.pth", weights_only=True)["meta"]
    assert meta["dataset_meta"]["classes"] == ["Going left", "Going right", "Standing still"]

    assert train([config, "--work-dir", "out", "--resume", "--cfg-options", "train_cfg.max_epochs=2"]) == 0
    assert "going on after epoch 1" in capsys.readouterr().out
    with open("out/curves.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(row["loss"] and row["val_top1"] for row in rows)
    # what logs next in this process must not find a closed file
    assert not any(isinstance(handler, logging.FileHandler) for handler in MMLogger.get_current_instance().handlers)


def test_options_reach_the_run(train, tiny_config, capsys):
    assert train([tiny_config(), "--no-validate", "--auto-scale-lr", "--seed", "7", "--deterministic"]) == 0
    printed = capsys.readouterr().out
    assert "on: multiplied by 0.5 = 2 / base batch size 4" in printed
    assert "0.005 (11,178,051 parameters)" in printed
    assert "7, deterministic" in printed
    assert "acc/top1" not in printed
    assert Path("work_dirs/tiny/epoch_1.pth").is_file()
    torch.use_deterministic_algorithms(False)


def test_help_ends_with_an_example(train, capsys):
    with pytest.raises(SystemExit, match="0"):
        train(["--help"])
    assert "python tools/train.py configs/" in capsys.readouterr().out


def test_missing_config_suggests_the_nearest(fails, tiny_config, tmp_path):
    tiny_config(name="tsm_mini")
    message = fails(str(tmp_path / "tsm_mni.py"))
    assert "does not exist; did you mean" in message
    assert "tsm_mini.py" in message


@pytest.mark.parametrize(
    ("text", "said"), [("model = dict(", "SyntaxError"), ("model = dict(type=x)", "'x'"), ("a = 1", "no model")]
)
def test_unreadable_config(fails, tmp_path, text, said):
    path = tmp_path / "bad.py"
    path.write_text(text)
    assert said in fails(str(path))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"ResNetTSM"', '"ResNetTMS"', "model.backbone.type ('ResNetTMS') is not a registered model (did you mean "),
        ('"TSMHead"', '"TSMHed"', "model.cls_head.type ('TSMHed') is not a registered model (did you mean 'TSMHead'?)"),
        ('"DecordDecode"', '"DecodeDecord"', "train_dataloader.dataset.pipeline.2.type ('DecodeDecord')"),
        ('"VideoDataset"', '"VideoDataSet"', "dataset.type ('VideoDataSet') is not a registered dataset (did you mean"),
        ('"LoggerHook"', '"LogerHook"', "default_hooks.logger.type ('LogerHook') is not a registered hook (did you"),
        ('"SGD"', '"SDG"', "optim_wrapper.optimizer.type ('SDG') is not a registered optimizer (did you mean 'SGD'?)"),
        ('"AccMetric"', '"AccuMetric"', "val_evaluator.0.type ('AccuMetric') is not a registered metric (did you mean"),
        ('"MultiStepLR"', '"MultistepLr"', "param_scheduler.0.type ('MultistepLr')"),
        ('"ValLoop"', '"ValidLoop"', "val_cfg.type ('ValidLoop') is not a registered loop (did you mean 'ValLoop'?)"),
    ],
)
def test_unknown_type(fails, tiny_config, old, new, said):
    assert said in fails(tiny_config((old, new)))


def test_unknown_argument_names_the_nearest(fails, tiny_config):
    message = fails(tiny_config(("shift_div=8", "shift_dvi=8")))
    assert "model.backbone (ResNetTSM) has no argument 'shift_dvi' (did you mean 'shift_div'?)" in message


def test_a_value_that_a_backbone_refuses(fails, tiny_config):
    ours = 'type="TSMResNet", gated_stages=(0, 9)'
    message = fails(tiny_config(('type="ResNetTSM"', ours), ("norm_eval=False, ", "")))
    assert "gated_stages ((0, 9)) must be among 0 (the stem) and 1 to 4" in message


def test_unknown_argument_of_a_dataset_transform(fails, tiny_config):
    message = fails(tiny_config(('type="Resize", scale=(32, 32)', 'type="Resize", scal=(32, 32)')))
    assert "(Resize) has no argument 'scal' (did you mean 'scale'?)" in message


def test_missing_list_names_the_way_to_the_data(fails, tiny_config):
    message = fails(tiny_config(("DATA/list.txt", "data/x/train.txt")))
    assert "train_dataloader.dataset.ann_file (data/x/train.txt) does not exist" in message
    assert "python tools/data/prepare_x.py data/x" in message
    assert "python tools/train.py configs/tsm_r50_cgc_mini.py" in message


def test_missing_folder_and_missing_files(fails, tiny_config):
    assert "the data folder (data/none) does not exist" in fails(tiny_config(("DATA/videos", "data/none")))
    Path("elsewhere").mkdir()
    assert "none of the first 5 entries of" in fails(tiny_config(("DATA/videos", "elsewhere")))


def test_label_outside_num_classes(fails, tiny_config):
    message = fails(tiny_config(("num_classes=3", "num_classes=2")))
    assert "label must be under num_classes (2)" in message
    assert "'2.mp4 2'" in message


def test_empty_list(fails, tiny_config, tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    assert "is empty" in fails(tiny_config(("DATA/list.txt", empty.as_posix())))


@pytest.mark.parametrize(("segments", "said"), [(3, "must equal the 2 frames"), (0, "must be at least 1")])
def test_num_segments_against_the_sampled_frames(fails, tiny_config, segments, said):
    message = fails(tiny_config(), "--cfg-options", f"model.backbone.num_segments={segments}")
    assert f"model.backbone.num_segments ({segments}) {said}" in message


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("optim_wraper.optimizer.lr=0.1", "has no 'optim_wraper' (did you mean 'optim_wrapper'?)"),
        ("optim_wrapper.optimiser.lr=0.1", "'optim_wrapper' has no 'optimiser'; did you mean 'optimizer'?"),
        ("train_cfg.max_epoch=1", "train_cfg (EpochBasedTrainLoop) has no argument 'max_epoch' (did you mean"),
        ("val_evaluator.7.type=X", "'val_evaluator' is a list of 2; use an index from 0 to 1"),
        ("model.type.x=1", "'model.type' is a value ('Recognizer2D')"),
    ],
)
def test_bad_option(fails, tiny_config, option, said):
    assert said in fails(tiny_config(), "--cfg-options", option)


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU, mixed precision works")
def test_amp_without_a_gpu(fails, tiny_config):
    assert "needs a GPU" in fails(tiny_config(), "--amp")


def test_visualisation_backend_without_its_package(fails, tiny_config, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n, *a: None if "tensorboard" in n else find_spec(n, *a))
    message = fails(tiny_config(('"LocalVisBackend"', '"TensorboardVisBackend"')))
    assert "'TensorboardVisBackend' needs the package 'tensorboard'" in message


def test_checkpoints_that_training_cannot_start_from(fails, tiny_config, tmp_path):
    config = tiny_config()
    assert "checkpoint (none.pth) does not exist" in fails(config, "--resume", "none.pth")
    (tmp_path / "text.pth").write_text("not a checkpoint")
    assert "checkpoint (text.pth) is no checkpoint" in fails(config, "--resume", "text.pth")
    torch.save({"numbers": [1, 2]}, "numbers.pth")
    assert "holds no weights" in fails(config, "--resume", "numbers.pth")
    torch.save({"state_dict": {"backbone.x": torch.ones(2)}}, "weights.pth")
    assert "this file holds weights only: use load_from" in fails(config, "--resume", "weights.pth")
    assert "fits only 0 of" in fails(config, "--cfg-options", "load_from=weights.pth")


def test_work_dir_that_is_a_file(fails, tiny_config, tmp_path):
    (tmp_path / "taken").write_text("")
    assert "work_dir (taken) is a file" in fails(tiny_config(), "--work-dir", "taken")
