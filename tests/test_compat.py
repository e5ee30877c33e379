"""Each upstream defect against the installed packages."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.logging.history_buffer import HistoryBuffer

from cgc_video import compat


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)


def test_mmaction_models_import_after_cgc_video_in_any_order():
    assert run("import cgc_video, mmaction.models; mmaction.models.Recognizer2D").returncode == 0
    assert run("import mmaction, mmengine, cgc_video, mmaction.models").returncode == 0


def test_the_placeholder_of_a_missing_class_says_what_is_missing():
    code = "import cgc_video, mmaction.models.localizers as l; l.DRN()"
    done = run(code)
    if compat.missing_drn_localizer() or "DRN is missing" in done.stderr:
        assert "install mmaction2 from its source" in done.stderr


def test_fixes_are_applied_once():
    assert compat.missing_drn_localizer() is False
    import mmaction.models  # noqa: F401

    assert compat.skip_absent_tsm_weights() is False
    assert compat.default_weight_decay_in_tsm_optimizer() is False


def test_what_mmengine_writes_into_a_checkpoint_loads_safely(tmp_path):
    buffer = HistoryBuffer([1.0, 2.0], [1, 1], 10)
    content = {"message_hub": {"loss": buffer, "array": np.arange(3.0), "number": np.float32(2.0), "int": np.int64(3)}}
    torch.save(content, tmp_path / "hub.pth")
    loaded = torch.load(tmp_path / "hub.pth", weights_only=True)["message_hub"]
    assert loaded["loss"].mean() == buffer.mean()
    np.testing.assert_array_equal(loaded["array"], np.arange(3.0))


class Harmful:
    def __reduce__(self):
        return print, ("this must not run",)


def test_other_types_are_still_refused(tmp_path):
    torch.save({"x": Harmful()}, tmp_path / "harmful.pth")
    with pytest.raises(Exception, match="Weights only load failed|Unsupported"):
        torch.load(tmp_path / "harmful.pth", weights_only=True)


class Prying:
    def __reduce__(self):
        return getattr, (torch.Tensor, "__init__")


def test_getattr_serves_nothing_but_the_history_buffer(tmp_path):
    torch.save({"x": Prying()}, tmp_path / "prying.pth")
    with pytest.raises(Exception, match="not allowed in a checkpoint|Unsupported"):
        torch.load(tmp_path / "prying.pth", weights_only=True)


def test_resnet_tsm_without_weights_initialises(monkeypatch):
    from mmaction.registry import MODELS
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(dict(type="ResNetTSM", depth=18, pretrained=None, pretrained2d=True))
        model.init_weights()
    assert model.pretrained2d is False


def test_tsm_optimizer_without_weight_decay_trains_a_gated_network():
    from mmaction.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope("mmaction"):
        backbone = dict(type="ResNetTSM", depth=18, num_segments=4, pretrained2d=False, conv_cfg=dict(type="CGC2d"))
        model = MODELS.build(
            dict(type="Recognizer2D", backbone=backbone, cls_head=dict(type="TSMHead", num_classes=4, in_channels=512))
        )
        constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
            dict(
                type="TSMOptimWrapperConstructor",
                optim_wrapper_cfg=dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1)),
                paramwise_cfg=dict(fc_lr5=True),
            )
        )
        wrapper = constructor(model)
    held = {id(p) for group in wrapper.optimizer.param_groups for p in group["params"]}
    assert held == {id(p) for p in model.parameters()}
    assert all(group["weight_decay"] == 0 for group in wrapper.optimizer.param_groups)


def test_one_version_of_opencv_is_pinned():
    from pathlib import Path

    lines = (Path(__file__).resolve().parents[1] / "requirements" / "constraints.txt").read_text().splitlines()
    versions = {
        line.split("==")[1] for line in lines if line.startswith(("opencv-python==", "opencv-contrib-python=="))
    }
    assert len(versions) == 1


def test_mmcv_lite_says_nothing_of_operators_that_nobody_uses():
    code = "import cgc_video, mmcv.cnn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert "MultiScaleDeformableAttention" not in done.stderr
