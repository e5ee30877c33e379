"""Written files against the networks they were written from, in batches that the trace did not see, 1 included."""

import copy
import json
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from cgc_video.apis.export.interface import Interface, find_interface
from cgc_video.apis.export.metadata import metadata
from cgc_video.apis.export.network import trace
from cgc_video.apis.export.onnx_file import run_onnx, write_onnx
from cgc_video.apis.export.parity import TOLERANCE, largest_difference, relative_difference
from cgc_video.apis.export.program_file import METADATA, run_program, write_program
from cgc_video.engine.trained import TrainedModel
from cgc_video.models import CIFARResNet, P3DResNet, TSMResNet, TSNResNet

BATCHES = (1, 3)  # traced with 2
# Config, and which stages are gated, 0 being the stem. Each takes seconds to trace and seconds to write, the more the more is gated.
NETWORKS = {
    "tsn": ("tsn_r18_mini", None),
    "tsn + CGC3d": ("tsn_r18_cgc_mini", (0,)),
    "tsm": ("tsm_r18_mini", None),
    "tsm + CGC3d": ("tsm_r18_cgc_mini", (2,)),
    "p3d": ("p3d_r18_mini", None),
    "p3d + CGC1d + CGC3d": ("p3d_r18_cgc_mini", (2,)),
    "classifier": ("resnet20_digits", None),
    "classifier + CGC2d": ("resnet20_cgc_digits", (0,)),
}


@pytest.fixture(scope="module")
def networks(repository):
    """Each network with one block per stage, weights and statistics at random; what it takes, and its graph. Traced when asked for."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (TSNResNet, TSMResNet, P3DResNet, CIFARResNet):
            block = next(iter(kind.arch_settings.values()))[0]
            patch.setattr(kind, "arch_settings", {18: (block, (1, 1, 1)), 20: (block, (1, 1, 1))})
            patch.setattr(kind, "stem_channels", 16)
            patch.setattr(kind, "stage_channels", (16, 32, 32))

        @cache
        def traced(network: str) -> tuple[TrainedModel, Interface, torch.export.ExportedProgram]:
            name, gated_stages = NETWORKS[network]
            trained = build(Config.fromfile(str(repository / f"configs/{name}.py")), gated_stages)
            interface = find_interface(trained, *((8,) if "classifier" in network else (None, 2)))
            return trained, interface, trace(trained.model, interface, trained.cfg)

        yield traced


def build(cfg: Config, gated_stages: tuple[int, ...] | None) -> TrainedModel:
    cfg.model.cls_head.in_channels = 32
    if gated_stages is not None:
        cfg.model.backbone.gated_stages = gated_stages
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg.model)
    for name, parameter in model.named_parameters():
        if ".gate.decode" in name or name.endswith("fc_cls.weight"):
            nn.init.normal_(parameter)
    for module in model.modules():
        if getattr(module, "running_mean", None) is not None:
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return TrainedModel(cfg, model.eval(), [f"class {label}" for label in range(cfg.model.cls_head.num_classes)])


@pytest.fixture(scope="module")
def onnx_files(networks, tmp_path_factory):
    """Each network's file, written when asked for."""

    @cache
    def written(network: str) -> Path:
        trained, interface, program = networks(network)
        file = tmp_path_factory.mktemp("onnx") / "a.onnx"
        write_onnx(program, file, ("pixels", "probabilities"), metadata(trained, interface, "a.py"), opset=18)
        return file

    return written


@pytest.mark.parametrize("network", NETWORKS)
def test_onnx(network: str, networks, onnx_files):
    trained, interface, _ = networks(network)
    file = onnx_files(network)
    assert largest_difference(run_onnx(file), trained.model, interface, BATCHES) < TOLERANCE

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    taken = [(value.name, value.type, value.shape) for value in session.get_inputs()]
    assert taken == [("pixels", "tensor(uint8)", ["batch", *interface.shape])]
    assert [(value.name, value.shape[0]) for value in session.get_outputs()] == [("probabilities", "batch")]
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["classes"]) == trained.class_names
    assert json.loads(properties["mean"]) == pytest.approx(list(trained.cfg.model.data_preprocessor.mean))
    model = onnx.load(file)
    assert model.opset_import[0].version == 18
    assert {node.domain for node in model.graph.node} == {""}
    assert not model.functions


@pytest.mark.parametrize("network", ["tsm + CGC3d", "p3d"])
def test_torch_export(network: str, networks, tmp_path: Path):
    trained, interface, program = networks(network)
    write_program(program, tmp_path / "a.pt2", {"classes": "[]"})
    assert largest_difference(run_program(tmp_path / "a.pt2"), trained.model, interface, BATCHES) < TOLERANCE
    found = {METADATA: ""}
    loaded = torch.export.load(str(tmp_path / "a.pt2"), extra_files=found)
    assert json.loads(found[METADATA]) == {"classes": "[]"}
    assert not any("cgc_video" in str(node.target) for node in loaded.graph.nodes)


def test_another_opset(networks, tmp_path: Path):
    trained, interface, program = networks("classifier")
    write_onnx(program, tmp_path / "a.onnx", ("pixels", "probabilities"), {}, opset=23)
    assert onnx.load(tmp_path / "a.onnx").opset_import[0].version == 23
    assert largest_difference(run_onnx(tmp_path / "a.onnx"), trained.model, interface) < TOLERANCE


def test_files_and_models_are_left_clean(networks, onnx_files, repository, tmp_path: Path):
    """No lines of code, whose paths are those of the machine that wrote the file; the model is as it was."""
    trained, _, program = networks("tsm")
    write_program(program, tmp_path / "a.pt2", {})
    for content in [onnx_files("tsm").read_bytes(), *unpacked(tmp_path / "a.pt2")]:
        assert b"site-packages" not in content
        assert str(repository).encode() not in content
    assert trained.model.backbone.num_segments == 4
    assert torch.fx.config.do_not_emit_stack_traces is False


def unpacked(archive: Path) -> list[bytes]:
    with zipfile.ZipFile(archive) as file:
        return [file.read(name) for name in file.namelist()]


def test_the_measure_sees_what_matters(networks):
    """Another mean, or a gate's decoder left out, is no rounding."""
    trained, interface, program = networks("tsn + CGC3d")
    module = program.module()
    model = copy.deepcopy(trained.model)
    run = lambda pixels: module(torch.from_numpy(pixels)).detach().numpy()  # noqa: E731
    assert largest_difference(run, model, interface, BATCHES) < TOLERANCE
    model.data_preprocessor.mean += 0.1
    assert largest_difference(run, model, interface, BATCHES) > TOLERANCE
    model = copy.deepcopy(trained.model)
    nn.init.zeros_(model.backbone.conv1.conv.gate.decode_in.weight)
    assert largest_difference(run, model, interface, BATCHES) > TOLERANCE


def test_relative_difference():
    expected = np.array([[0.1, 0.2, 0.7], [0.333, 0.333, 0.334]], np.float32)
    assert relative_difference(expected, expected) == 0
    off = expected.copy()
    off[0, 0] += 0.01
    assert relative_difference(off, expected) == pytest.approx(0.1, rel=1e-4)  # of its value
    off = expected.copy()
    off[1, 0] += 0.001
    assert relative_difference(off, expected) == pytest.approx(1, rel=1e-3)  # of the spread, 0.001
    assert relative_difference(expected[:1], expected) == float("inf")
    assert relative_difference(np.full_like(expected, np.nan), expected) == float("inf")
