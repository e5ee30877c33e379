"""Counts against those made by hand from the shapes."""

import pytest
import torch
from torch import Tensor, nn

from cgc_video.evaluation.complexity import PARTS, count_complexity, count_parameters, multiply_adds
from cgc_video.evaluation.op_calls import record_ops
from cgc_video.layers import CGC1d, CGC2d, CGC3d, context_gated_conv


def parts_of(build, *shape: int) -> dict[str, tuple[int, int]]:
    """Parameters and multiply-adds by part."""
    with torch.device("meta"):
        model = build().eval()
        complexity = count_complexity(model, record_ops(model, lambda: model(torch.empty(shape))))
    assert complexity.parameters == count_parameters(model)
    assert sum(group.macs for group in complexity.by_part().values()) == complexity.macs
    return {part: (group.parameters, group.macs) for part, group in complexity.by_part().items()}


def macs_of(build, *shape: int) -> dict[str, int]:
    return {part: macs for part, (_, macs) in parts_of(build, *shape).items() if macs}


@pytest.mark.parametrize(
    ("build", "shape", "expected"),
    [
        (lambda: nn.Conv2d(3, 8, 3, padding=1), (1, 3, 5, 4), 5 * 4 * 8 * 27),
        (lambda: nn.Conv2d(8, 8, 3, stride=2, groups=8), (1, 8, 9, 9), 4 * 4 * 8 * 9),
        (lambda: nn.Conv3d(2, 4, (3, 1, 1), dilation=(2, 1, 1)), (1, 2, 8, 3, 3), 4 * 9 * 4 * 6),
        (lambda: nn.Conv1d(4, 6, 3), (2, 4, 10), 2 * 8 * 6 * 12),
    ],
    ids=["padding", "depthwise-stride", "3d-dilation", "1d-batch"],
)
def test_plain_convolutions(build, shape, expected):
    assert macs_of(build, *shape) == {"convolution": expected}


@pytest.mark.parametrize("bias", [True, False])
def test_linear_layers(bias: bool):
    assert macs_of(lambda: nn.Linear(7, 5, bias=bias), 2, 7) == {"linear": 2 * 7 * 5}
    assert macs_of(lambda: nn.Linear(7, 5, bias=bias), 2, 3, 7) == {"linear": 6 * 7 * 5}


class Functions(nn.Module):
    """Products that no module shows."""

    def forward(self, x: Tensor) -> Tensor:
        attention = (x @ x.transpose(1, 2)).softmax(2)  # (2, 3, 3)
        return 2 * torch.relu(attention @ x) * torch.sigmoid(x) + x  # (2, 3, 7)


def test_products_that_are_functions_count_and_scaling_does_not():
    assert macs_of(Functions, 2, 3, 7) == {"other": 2 * 2 * 3 * 3 * 7 + 2 * 3 * 7}


def test_norms_activations_and_pooling_have_parameters_at_most():
    counts = parts_of(lambda: nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1)), 1, 4, 6, 6)
    assert counts == {"norm": (8, 0)}


def test_the_parts_of_a_gate():
    """Sec. 3.2's complexity, term by term: C = 32, O = 64, h' = w' = 3, d = 5, two groups."""
    counts = parts_of(lambda: CGC2d(32, 64, 3, padding=1, bias=False), 2, 32, 7, 6)
    assert counts == {
        "convolution": (64 * 32 * 9, 2 * 7 * 6 * 64 * 32 * 9),
        "gate: encode": (9 * 5, 2 * 32 * 9 * 5),
        "gate: interact": (16 * 32, 2 * 2 * 16 * 32 * 5),
        "gate: decode": (2 * 5 * 9, 2 * (32 + 64) * 5 * 9),
        "gate: norm": (2 * (32 + 32 + 64), 0),
        "gate: modulate": (0, 2 * 64 * 32 * 9),
    }
    assert list(counts) == [part for part in PARTS if part in counts]


def test_options_of_the_gate():
    def gate(**options) -> dict[str, int]:
        return macs_of(lambda: CGC2d(16, 16, 3, **options), 1, 16, 5, 5)

    default = gate()
    assert gate(shared_norm=True) == gate(shared_decoder=True) == gate(pool="max") == default
    assert gate(two_encoders=True)["gate: encode"] == 2 * default["gate: encode"]
    assert gate(context_scale=2)["gate: encode"] == 4 * default["gate: encode"]
    assert gate(gate="product") == {**default, "gate: modulate": 2 * default["gate: modulate"]}  # G(1) * G(2), W * G
    assert "gate: interact" not in gate(gate="in")
    assert 2 * gate(gate="out")["gate: decode"] == default["gate: decode"]


def test_3d_context_modulates_once_per_frame_and_interpolates_its_logits():
    counts = macs_of(lambda: CGC3d(16, 16, 3, num_segments=8), 8, 16, 5, 5)
    assert counts["gate: encode"] == 16 * 27 * 14
    assert counts["gate: decode"] == 2 * 16 * (14 * 27 + 27 * 8)
    assert counts["gate: modulate"] == 8 * 16 * 16 * 9


def test_1d_context_modulates_once_per_clip():
    counts = macs_of(lambda: CGC1d(16, 16, (3, 1, 1), padding=(1, 0, 0)), 1, 16, 8, 5, 5)
    assert counts["convolution"] == 8 * 25 * 16 * 16 * 3
    assert counts["gate: modulate"] == 16 * 16 * 3


def test_a_pointwise_convolution_is_plain():
    assert macs_of(lambda: CGC2d(16, 8, 1), 1, 16, 5, 5) == {"convolution": 25 * 16 * 8}


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.ModuleDict({"conv1": nn.Conv2d(3, 4, 1), "layer1": nn.Conv2d(4, 4, 1)})
        self.cls_head = nn.Linear(4, 2)
        self.extra = nn.Linear(2, 2, bias=False)
        self.again = self.extra  # shared: its parameters count once, its calls each time

    def forward(self, x: Tensor) -> Tensor:
        features = self.backbone["layer1"](self.backbone["conv1"](x)).mean((2, 3))
        return self.again(self.extra(self.cls_head(features)))


def test_stages():
    with torch.device("meta"):
        model = Named()
        stages = count_complexity(model, record_ops(model, lambda: model(torch.empty(1, 3, 5, 5)))).by_stage()
    assert {stage: (group.parameters, group.macs) for stage, group in stages.items()} == {
        "stem": (16, 25 * 12),
        "stage 1": (20, 25 * 16),
        "head": (10, 8),
        "extra": (4, 8),
    }


def test_recording_leaves_the_model_and_the_layers_as_they_were():
    before = context_gated_conv.gated_conv2d
    with torch.device("meta"):
        model = nn.Sequential(CGC2d(16, 16, 3))
        with pytest.raises(RuntimeError):
            record_ops(model, lambda: model(torch.empty(1, 5, 4, 4)))
        assert record_ops(model, lambda: model(torch.empty(1, 16, 4, 4)))
    assert context_gated_conv.gated_conv2d is before
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_the_record_of_a_call():
    with torch.device("meta"):
        model = nn.Sequential(nn.Conv2d(3, 8, 3))
        image = torch.empty(1, 3, 6, 5)
    conv, module = record_ops(model, lambda: model(image))
    assert (conv.module, conv.op, conv.output) == ("0", "aten.convolution", (1, 8, 4, 3))
    assert conv.inputs[:2] == ((1, 3, 6, 5), (8, 3, 3, 3))
    assert (module.module, module.op, module.inputs) == ("0", "nn.Conv2d", ((1, 3, 6, 5),))
    assert (multiply_adds(conv), multiply_adds(module)) == (12 * 8 * 27, 0)
