"""The tools on image data, each official layout in miniature: training, testing, what cannot work, pictures, and the check."""

import importlib.util
import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cgc_video.datasets.images import cifar_archive
from cgc_video.testing.image_layouts import WNIDS, class_color, write_cifar10, write_imagenet, write_objectnet

TOOLS = Path(__file__).parents[2] / "tools"

CONFIG = """
default_scope = "mmaction"
model = dict(
    type="ImageClassifier",
    backbone=dict(type="CIFARResNet", depth=20, gated_stages=(3,), conv_cfg=dict(type="CGC2d")),
    cls_head=dict(type="LinearHead", in_channels=64, num_classes=4),
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[127.5] * 3, std=[60.0] * 3, format_shape="NCHW"
    ),
)
train_pipeline = [
    dict(type="LoadImage"),
    dict(type="RandomResizedCropImage", size=16),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackImage"),
]
test_pipeline = [
    dict(type="LoadImage"),
    dict(type="mmengine.Resize", scale=(100_000, 20), keep_ratio=True, backend="pillow"),
    dict(type="mmengine.CenterCrop", crop_size=16),
    dict(type="PackImage"),
]
train_set = dict(type="ImageFolder", data_root="imagenet", data_prefix=dict(img_path="train"), pipeline=train_pipeline)
test_set = dict(
    type="ImageFolder", data_root="imagenet", data_prefix=dict(img_path="val"), classes_from="train", test_mode=True,
    pipeline=test_pipeline,
)
train_dataloader = dict(
    batch_size=4, num_workers=WORKERS, sampler=dict(type="DefaultSampler", shuffle=True), dataset=train_set
)
val_dataloader = dict(
    batch_size=3, num_workers=WORKERS, sampler=dict(type="DefaultSampler", shuffle=False), dataset=test_set
)
test_dataloader = val_dataloader
val_evaluator = [dict(type="AccMetric"), dict(type="ClassReport")]
test_evaluator = val_evaluator
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=1, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.01, momentum=0.9))
default_hooks = dict(
    logger=dict(type="LoggerHook", interval=1), checkpoint=dict(type="CheckpointHook", interval=1)
)
visualizer = dict(type="ActionVisualizer", vis_backends=[dict(type="LocalVisBackend")])
data_help = dict(get="unpack the archives of image-net.org there", mini="configs/resnet20_cgc_digits.py")
"""


def run(name: str, *argv: str) -> int:
    spec = importlib.util.spec_from_file_location(f"cgc_tools_images_{name.replace('/', '_')}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(list(argv))


@pytest.fixture
def config() -> Callable[..., str]:
    """Write the config, with pieces of its text replaced, and return its path."""

    def write(*replacements: tuple[str, str], workers: int = 0) -> str:
        text = CONFIG.replace("WORKERS", str(workers))
        for old, new in replacements:
            assert old in text, f"{old!r} is not in the config"
            text = text.replace(old, new)
        Path("images.py").write_text(text)
        return "images.py"

    return write


@pytest.fixture
def imagenet() -> Path:
    write_imagenet(Path("imagenet"))
    return Path("imagenet")


@pytest.fixture
def fails(capsys) -> Callable[..., str]:
    """Run a tool, expect exit code 2 and one sentence on stderr; returns that line."""

    def run_and_fail(tool: str, *argv: str) -> str:
        capsys.readouterr()
        assert run(tool, *argv) == 2
        error = capsys.readouterr().err
        assert "Traceback" not in error
        lines = [line for line in error.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, error
        return lines[0]

    return run_and_fail


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def test_imagenet_as_it_is_unpacked(config, imagenet, capsys):
    cut(imagenet / "train" / WNIDS[1] / f"{WNIDS[1]}_10026.JPEG")
    path = config(("pipeline=train_pipeline)", "pipeline=train_pipeline, max_bad_share=0.2)"), workers=1)
    assert run("train", path, "--work-dir", "out") == 0
    printed = capsys.readouterr().out
    assert re.search(r"8 training images, 5 validation images, 4 classes, decoded by (cv2|simplejpeg)\b", printed)
    assert "ImageClassifier / CIFARResNet / LinearHead" in printed
    assert "clips" not in re.sub(r"report/clips", "", printed)
    (log,) = Path("out").glob("*/*.log")
    (line,) = [line for line in log.read_text().splitlines() if "cannot be decoded" in line]
    assert f"{WNIDS[1]}_10026.JPEG cannot be decoded: truncated; replaced by other samples." in line
    assert torch.load("out/epoch_1.pth", weights_only=True)["meta"]["dataset_meta"]["classes"] == list(WNIDS)

    shutil.rmtree(imagenet / "train")  # a test needs none
    assert run("test", path, "out/epoch_1.pth", "--work-dir", "tested", "--show-dir", "shown") == 0
    printed = capsys.readouterr().out
    assert "5 test images, 4 classes" in printed
    table = printed[printed.rindex("top-1") :]
    assert re.search(r"images tested +5\n", table)
    assert "views per" not in table
    assert re.search(r"class +images +top-1 %", printed)
    record = json.loads(Path("tested/eval/metrics.json").read_text())
    assert (record["metrics"]["report/clips"], record["views_per_clip"]) == (5, 1)
    assert len(list(Path("shown").iterdir())) == 5


def test_bad_images_of_a_test(config, random_weights, imagenet, fails, capsys):
    (imagenet / "val" / "ILSVRC2012_val_00000002.JPEG").write_text("no image")
    path = config()
    weights = random_weights(path)
    message = fails("test", path, weights)
    assert "imagenet/val/ILSVRC2012_val_00000002.JPEG cannot be decoded: not an image; " in message
    assert "bad_counts_as_wrong=True" in message
    scored = {}
    for option in ("skip_bad", "bad_counts_as_wrong"):
        path = config(("test_mode=True", f"test_mode=True, {option}=True"))
        assert run("test", path, weights, "--work-dir", option, "--dump", f"{option}.pkl") == 0
        printed = capsys.readouterr().out
        scored[option] = json.loads(Path(option, "eval/metrics.json").read_text())["metrics"]
        assert ("4 of 5 images scored" in printed) == (option == "skip_bad")
        assert ("1 of 5 images counted as wrong, undecodable: " in printed) == (option == "bad_counts_as_wrong")
    assert re.search(r"images tested +5 \(1 undecodable, counted as wrong\)", printed)
    right = round(4 * scored["skip_bad"]["acc/top1"])
    assert scored["skip_bad"]["report/clips"] == 4
    assert scored["bad_counts_as_wrong"]["report/clips"] == 5
    assert scored["bad_counts_as_wrong"]["acc/top1"] == pytest.approx(right / 5)
    assert len(pickle.loads(Path("bad_counts_as_wrong.pkl").read_bytes())) == 5


def test_what_does_not_fit_is_said_before_the_model_is_built(config, imagenet, fails):
    assert "train has 4 classes, but model.cls_head.num_classes is 5" in fails(
        "train", config(("num_classes=4", "num_classes=5"))
    )
    message = fails("train", config(('data_root="imagenet"', 'data_root="gone"')))
    assert "the data folder (gone/train) does not exist; unpack the archives of image-net.org there, or run" in message
    assert "has no argument 'classes_form' (did you mean 'classes_from'?)" in fails(
        "train", config(("classes_from=", "classes_form="))
    )
    (imagenet / "train" / "n09999999").mkdir()
    assert "the class folder imagenet/train/n09999999 holds no image" in fails(
        "train", config(("num_classes=4", "num_classes=5"))
    )
    (imagenet / "train" / "n09999999").rmdir()
    (imagenet / "val.txt").write_text("ILSVRC2012_val_00000001.JPEG 4\n")
    assert "holds the label 4, which must be under model.cls_head.num_classes (4)" in fails(
        "train", config(('classes_from="train"', 'classes_from="train", ann_file="val.txt"'))
    )
    (imagenet / "val" / "ILSVRC2012_val_00000005.JPEG").unlink()
    assert "labels 5 images, but their folder holds 4" in fails("train", config())


def test_cifar10_from_its_archive(config, fails, monkeypatch, capsys):
    path = config(
        ('type="ImageFolder", data_root="imagenet", data_prefix=dict(img_path="train")', 'type="CIFAR10", data_root="c"'),
        ('type="ImageFolder", data_root="imagenet", data_prefix=dict(img_path="val"), classes_from="train"',
         'type="CIFAR10", data_root="c", split="test"'),
        ('    dict(type="LoadImage"),\n', ""),
        ('RandomResizedCropImage", size=16', 'RandomCropImage", size=32, padding=4'),
        ("num_classes=4", "num_classes=10"),
    )  # fmt: skip
    assert "the data folder (c) does not exist" in fails("train", path)
    Path("c").mkdir()
    assert "c holds neither cifar-10-python.tar.gz nor cifar-10-batches-py; download" in fails("train", path)
    for split, files in write_cifar10(Path("c")).items():
        monkeypatch.setitem(cifar_archive.FILES, split, files)
    assert run("train", path, "--work-dir", "out") == 0
    assert "40 training images, 8 validation images, 10 classes\n" in capsys.readouterr().out
    assert run("test", path, "out/epoch_1.pth", "--work-dir", "tested") == 0
    assert re.search(r"images tested +8\n", capsys.readouterr().out)
    assert run("browse_dataset", path, "--number", "1", "--output", "sheets") == 0
    assert capsys.readouterr().out.splitlines()[0] == "40 images of the train split, 32x32 pixels each"
    assert "c holds no image files; CIFAR10 checks its archive" in fails("data/check", path)


def test_objectnet_scores_an_imagenet_model(config, random_weights, fails, capsys):
    write_objectnet(Path("objectnet-1.0"))
    options = [
        ('type="ImageFolder", data_root="imagenet", data_prefix=dict(img_path="val"), classes_from="train"',
         'type="ObjectNet", data_root="objectnet-1.0"'),
        ("num_classes=4", "num_classes=5"),
        ('test_pipeline = [\n    dict(type="LoadImage"),', 'test_pipeline = [\n    dict(type="LoadImage"),\n    dict(type="CropBorder"),'),
    ]  # fmt: skip
    weights = random_weights(config(*options))
    assert "test_evaluator holds AccMetric, which does not fit the labels" in fails("test", config(*options), weights)
    options += [("test_evaluator = val_evaluator", 'test_evaluator = [dict(type="MappedAccuracy", topk=(1, 2))]')]
    assert run("test", config(*options), weights, "--work-dir", "out", "--dump", "scores.pkl") == 0
    assert re.search(r"images tested +4\n", capsys.readouterr().out)
    metrics = json.loads(Path("out/eval/metrics.json").read_text())["metrics"]
    results = pickle.loads(Path("scores.pkl").read_bytes())
    outputs = {0: {0, 3}, 1: {4}}  # a chair, a hammer
    for k in (1, 2):
        hits = [bool(outputs[int(r["gt_label"])] & set(r["pred_score"].topk(k).indices.tolist())) for r in results]
        assert metrics[f"acc/top{k}"] == pytest.approx(np.mean(hits))
    message = fails("test", config(*options[:1], *options[2:]), weights)
    assert "ObjectNet is for models of the 1,000 ImageNet classes" in message
    assert run("browse_dataset", config(*options), "--split", "test", "--number", "4", "--output", "sheets") == 0
    assert "Hammer" in capsys.readouterr().out
    # the border is gone: the picture is of the class alone
    sheet = cv2.imread("sheets/test_000000.png")
    assert np.abs(sheet[-17:-1, :16].astype(int) - class_color(1)[::-1]).max() < 8


def test_pictures_and_check(config, imagenet, capsys):
    path = config()
    assert run("browse_dataset", path, "--split", "val", "--number", "2", "--output", "sheets") == 0
    assert capsys.readouterr().out.splitlines() == [
        "5 images of the val split, 16x16 pixels each",
        f"sheets/val_000000.png: ILSVRC2012_val_00000001.JPEG, {WNIDS[1]}",
        f"sheets/val_000004.png: ILSVRC2012_val_00000005.JPEG, {WNIDS[1]}",
    ]
    assert run("data/check", path, "--workers", "1") == 0
    assert "imagenet/train: 8 images in imagenet/train\n0 of 8 images are bad\n" in capsys.readouterr().out
    bad = imagenet / "train" / WNIDS[2] / f"{WNIDS[2]}_10027.JPEG"
    cut(bad)
    assert run("data/check", path, "--split", "train", "--workers", "1", "--write-clean", "imagenet/clean.txt") == 1
    printed = capsys.readouterr().out
    assert f"  bad: {WNIDS[2]}/{bad.name}: truncated\n1 of 8 images are bad\n" in printed
    assert printed.endswith("Wrote imagenet/clean.txt with 7 images.\n")
    clean = config(('data_prefix=dict(img_path="train")', 'data_prefix=dict(img_path="train"), ann_file="clean.txt"'))
    assert run("data/check", clean, "--split", "train", "--workers", "1") == 0
