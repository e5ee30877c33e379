"""Counts of whole configs, and their latency."""

import pytest

from cgc_video.analysis.complexity import count_config
from cgc_video.analysis.complexity_latency import latencies
from cgc_video.errors import UserError


@pytest.fixture
def config(repository):
    return lambda name: str(repository / "configs" / f"{name}.py")


def test_a_tsm_network_of_the_paper(config):
    count = count_config(config("tsm_r50_sthv1"))
    assert count.shape == (1, 8, 3, 224, 224)
    assert count.view == "a clip of 8 frames, 224 x 224"
    assert count.complexity.parameters == 23_864_558
    # eight times ResNet-50's convolutions, the published 4.09 G less its classifier, and 174 classes per frame
    assert count.complexity.macs == 8 * (4_089_184_256 - 1000 * 2048 + 174 * 2048)
    assert list(count.complexity.by_stage()) == ["stem", "stage 1", "stage 2", "stage 3", "stage 4", "head"]
    assert count.complexity.gates.shares == ()


@pytest.mark.parametrize(
    ("plain", "gated", "shape"),
    [
        ("tsm_r18_mini", "tsm_r18_cgc_mini", (1, 4, 3, 32, 32)),
        ("p3d_r18_mini", "p3d_r18_cgc_mini", (1, 1, 3, 16, 32, 32)),
        ("resnet20_digits", "resnet20_cgc_digits", (1, 3, 8, 8)),
    ],
)
def test_a_gated_model_is_its_baseline_and_its_gates(plain: str, gated: str, shape, config):
    baseline, own = count_config(config(plain)), count_config(config(gated))
    assert baseline.shape == own.shape == shape
    gates = own.complexity.gates
    assert own.complexity.parameters - baseline.complexity.parameters == gates.parameters > 0
    assert own.complexity.macs - baseline.complexity.macs == gates.macs > 0
    for part, group in baseline.complexity.by_part().items():
        assert own.complexity.by_part()[part] == group


def test_size_and_options(config):
    name = config("tsm_r18_mini")
    small, large = count_config(name), count_config(name, size=64)
    assert large.shape == (1, 4, 3, 64, 64)
    assert large.complexity.by_part()["convolution"].macs == 4 * small.complexity.by_part()["convolution"].macs
    classes = count_config(name, options={"model.cls_head.num_classes": 10})
    assert classes.complexity.parameters == small.complexity.parameters + 2 * 513


def test_refusals(config, tmp_path):
    with pytest.raises(UserError, match=r"num_segments \(3\) must divide .*; correct the config"):
        count_config(config("tsm_r18_mini"), options={"model.backbone.num_segments": 3})
    part = tmp_path / "part.py"
    part.write_text("model = dict(type='LinearHead', num_classes=2, in_channels=4)\n")
    with pytest.raises(UserError, match=r"model \(LinearHead\) must classify clips or images"):
        count_config(str(part))
    recognizer = tmp_path / "recognizer.py"
    recognizer.write_text(f"_base_ = {config('tsm_r18_mini')!r}\nval_dataloader = train_dataloader = None\n")
    with pytest.raises(UserError, match="do not say how large a view is .*; give --size"):
        count_config(str(recognizer))
    with pytest.raises(UserError, match="must have a step with clip_len"):
        count_config(str(recognizer), size=32)
    with pytest.raises(UserError, match=r"--device \(tpu\) cannot be used .*; use --device cpu"):
        latencies([config("tsm_r18_mini")], device="tpu")


def test_latencies(config):
    timed = latencies([config("tsm_r18_mini"), config("resnet20_digits")], repeats=2)
    assert len(timed.milliseconds) == 2
    assert all(value > 0 for value in timed.milliseconds)
    assert timed.how.startswith("median of 2 passes in turn, cpu, torch ")
    assert timed.how.endswith(", 1 thread")
