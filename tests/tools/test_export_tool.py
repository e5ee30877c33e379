"""The export as a command: a file that its reader needs nothing but onnxruntime for, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from cgc_video.apis import load_recognizer, predict
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.classes import CLASSES
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.models import TSNResNet
from tools.export import main

# What someone who has the file alone would write; nothing else of this environment can be imported.
READER = """
import json, sys
for name in ("torch", "mmengine", "mmaction", "mmcv", "cgc_video", "onnx"):
    sys.modules[name] = None
import numpy, onnxruntime
session = onnxruntime.InferenceSession("exported.onnx", providers=["CPUExecutionProvider"])
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
(probabilities,) = session.run(["probabilities"], {"pixels": numpy.load("pixels.npy")})
print(json.dumps([[classes[row.argmax()], float(row.max())] for row in probabilities]))
"""


def save_random(config: str, checkpoint: Path) -> None:
    torch.manual_seed(0)
    cfg = Config.fromfile(config)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg.model)
    for name, parameter in model.named_parameters():
        if ".gate.decode" in name or name.endswith("fc_cls.weight"):
            torch.nn.init.normal_(parameter)
    torch.save({"meta": {"dataset_meta": {"classes": list(CLASSES)}}, "state_dict": model.state_dict()}, checkpoint)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository):
    """Rendered clips, and TSN of three blocks, its stem gated or not, with weights at random: config and checkpoint of each."""
    root = tmp_path_factory.mktemp("export")
    build_mini(root / "data", MiniArguments(train=8, val=8, size=64, frames=8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TSNResNet, "arch_settings", {18: (TSNResNet.arch_settings[18][0], (1, 1, 1))})
        patch.setattr(TSNResNet, "stem_channels", 16)
        patch.setattr(TSNResNet, "stage_channels", (16, 32, 32))
        for name, stages in (("gated", (0,)), ("plain", ())):
            base = (repository / "configs/tsn_r18_cgc_mini.py").as_posix()
            model = f"dict(backbone=dict(gated_stages={stages}), cls_head=dict(in_channels=32))"
            (root / f"{name}.py").write_text(f"_base_ = {base!r}\nmodel = {model}\n")
            save_random(str(root / f"{name}.py"), root / f"{name}.pth")
        yield root


@pytest.fixture
def arguments(folder) -> list[str]:
    return [str(folder / "plain.py"), str(folder / "plain.pth")]


def test_a_file_that_needs_onnxruntime_alone(folder, tmp_path, capsys):
    arguments = [str(folder / "gated.py"), str(folder / "gated.pth")]
    file = tmp_path / "new" / "exported.onnx"
    assert main([*arguments, "--output", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{file}: ONNX, opset 18, ")
    assert lines[1].startswith("  pixels: uint8 (batch, 24, 3, 32, 32): 6 views (clips and crops) of 4 RGB frames")
    assert lines[2] == "  probabilities: float32 (batch, 8)"
    assert lines[3].startswith("  largest relative difference from the network: ")
    assert [path.name for path in file.parent.iterdir()] == ["exported.onnx"]

    recognizer = load_recognizer(*arguments)
    videos = sorted((folder / "data" / "videos").iterdir())[:3]
    np.save(
        file.parent / "pixels.npy", np.stack([recognizer.pipeline(str(video))["inputs"].numpy() for video in videos])
    )
    done = subprocess.run([sys.executable, "-c", READER], cwd=file.parent, capture_output=True, text=True, check=True)
    for video, (name, probability) in zip(videos, json.loads(done.stdout), strict=True):
        (expected,) = predict(recognizer, str(video), top_k=1)
        assert name == expected.name
        assert probability == pytest.approx(expected.probability, rel=1e-4)


def test_torch_export_beside_the_checkpoint(folder, arguments, tmp_path, capsys):
    checkpoint = tmp_path / "small.pth"
    checkpoint.write_bytes((folder / "plain.pth").read_bytes())
    options = ["--format", "torch-export", "--views", "1", "--no-check"]
    assert main([arguments[0], str(checkpoint), *options]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{tmp_path / 'small.pt2'}: torch.export, ")
    assert "1 view (clip and crop) of 4 RGB frames of 32 x 32" in out
    assert "difference" not in out
    assert torch.export.load(str(tmp_path / "small.pt2")).module()(torch.zeros(3, 4, 3, 32, 32).byte()).shape == (3, 8)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--opset", "17"], "--opset (17) must be from 18 to 23"),
        (["--size", "0"], "--size (0) must be at least 1"),
        (["--views", "0"], "--views (0) must be at least 1"),
        (["--output", "/dev/null/a.onnx"], "/dev/null/a.onnx cannot be written"),
        (["--output", "."], "is a folder; name a file"),
    ],
)
def test_wrong_options_are_one_sentence(options, sentence, arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, *options]) == 2
    assert sentence in capsys.readouterr().err


def test_a_translation_model_is_refused_by_name(repository, arguments, capsys):
    assert main([str(repository / "configs/lightconv_cgc_copy_mini.py"), arguments[1]]) == 2
    assert "model (TranslationModel) cannot be exported" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_one_sentence(package, arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    assert main([*arguments, "--output", str(tmp_path / "a.onnx")]) == 2
    assert f"the package {package} is needed for ONNX and is not installed; run `pip install -e .[export]`" in (
        capsys.readouterr().err
    )


def test_an_old_torch_is_one_sentence(arguments, monkeypatch, capsys):
    monkeypatch.delattr(torch.onnx.ONNXProgram, "rename_axes")
    assert main(arguments) == 2
    assert (
        "is too old for the export; install the version that requirements/constraints.txt names"
        in capsys.readouterr().err
    )


def test_a_file_that_differs_is_not_kept(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("cgc_video.apis.export.command.write_onnx", lambda program, file, *rest: Path(file).touch())
    monkeypatch.setattr("cgc_video.apis.export.command.run_onnx", lambda file: lambda pixels: np.ones((len(pixels), 8)))
    (tmp_path / "a.onnx").write_text("an older file")
    assert main([*arguments, "--views", "1", "--output", str(tmp_path / "a.onnx")]) == 2
    assert "the exported file differs from the network by" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
    assert (tmp_path / "a.onnx").read_text() == "an older file"


def test_a_file_that_onnxruntime_cannot_run(arguments, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(
        "cgc_video.apis.export.command.write_onnx", lambda program, file, *rest: file.write_bytes(b"no")
    )
    assert main([*arguments, "--views", "1", "--output", str(tmp_path / "a.onnx")]) == 2
    error = capfd.readouterr().err
    assert "onnxruntime cannot run the file (" in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_network_that_torch_export_cannot_follow(arguments, tmp_path, monkeypatch, capsys):
    forward = TSNResNet.forward
    monkeypatch.setattr(TSNResNet, "forward", lambda self, x: forward(self, x if x.sum() > 0 else -x))
    assert main([*arguments, "--output", str(tmp_path / "a.onnx")]) == 2
    error = capsys.readouterr().err
    assert "model (ClipRecognizer2D, backbone TSNResNet) cannot be exported: torch.export does not follow it" in error
    assert len(error.splitlines()) == 1


def test_an_operator_that_onnx_lacks_is_named(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        TSNResNet, "forward", lambda self, x: torch.igamma(x.mean(1, keepdim=True), torch.ones(32, 1, 1))
    )
    assert main([*arguments, "--output", str(tmp_path / "a.onnx")]) == 2
    assert "cannot be written as ONNX (" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_size_that_does_not_fit(arguments, tmp_path, monkeypatch, capsys):
    def too_small(self, x):
        raise ValueError("input image is smaller than kernel")

    monkeypatch.setattr(TSNResNet, "forward", too_small)
    assert main([*arguments, "--size", "1", "--output", str(tmp_path / "a.onnx")]) == 2
    assert "(24, 3, 1, 1) does not fit the model (input image is smaller than kernel)" in capsys.readouterr().err
