"""The traced layers of a network, and the floors of one worked out by hand."""

import torch

from cgc_video.benchmark.layer_cases import LayerCase, floors, materialised_bytes
from cgc_video.benchmark.networks import NetworkCase
from cgc_video.benchmark.settings import Settings
from cgc_video.testing import GatedConvCase

CONV = GatedConvCase("small", batch=2, in_channels=3, out_channels=4, size=(5, 6), kernel=(3, 3), stride=(2, 2))


def test_resnet50_has_a_stem_and_sixteen_3x3_convolutions_of_seven_shapes():
    layers = NetworkCase("r50", "TSNResNet", 50, "CGC2d", clips=8, frames=1, size=224).layers()
    assert {layer.name: layer.count for layer in layers} == {
        "c3-o64-7x7-s2-224x224": 1,
        "c64-o64-3x3-56x56": 3,
        "c128-o128-3x3-s2-56x56": 1,
        "c128-o128-3x3-28x28": 3,
        "c256-o256-3x3-s2-28x28": 1,
        "c256-o256-3x3-14x14": 5,
        "c512-o512-3x3-s2-14x14": 1,
        "c512-o512-3x3-7x7": 2,
    }
    assert [layer.input_grad for layer in layers] == [False] + 7 * [True]
    assert layers[0].input == "8 x 3 x 224 x 224"
    assert layers[0].output_shape == (8, 64, 112, 112)


def test_frames_of_clips_are_the_batch():
    layers = NetworkCase("tsm", "TSMResNet", 18, "CGC3d", clips=2, frames=4, size=32).layers()
    assert {layer.conv.batch for layer in layers} == {8}
    assert sum(layer.count for layer in layers) == 17


def test_floors():
    layer = LayerCase(CONV)
    assert layer.output_shape == (2, 4, 3, 3)
    # 2 samples x 4 outputs x 9 pixels x 27 taps, a multiplication and an addition each
    operations = 2 * (2 * 4 * 9 * 27)
    x, y, weight, logits = 2 * 3 * 30, 2 * 4 * 9, 4 * 27, 2 * (3 + 4) * 9
    forward = floors(layer, training=False)
    assert (forward.operations, forward.gate_elements) == (operations, 2 * weight)
    assert forward.bytes == 4 * (x + y + weight + logits)
    training = floors(layer, training=True)
    assert (training.operations, training.gate_elements) == (3 * operations, 4 * weight)
    # backward reads what forward moved (the gradient of y in place of y) and writes the gradients of the rest
    assert training.bytes == 2 * forward.bytes + 4 * (x + weight + logits)


def test_floors_of_a_stem_and_of_half_precision():
    stem = LayerCase(CONV, input_grad=False)
    whole, lean = floors(LayerCase(CONV), training=True), floors(stem, training=True)
    assert whole.operations - lean.operations == whole.operations // 3
    assert whole.bytes - lean.bytes == 4 * 2 * 3 * 30
    half = floors(LayerCase(CONV), training=False, activation_bytes=2)
    assert floors(LayerCase(CONV), training=False).bytes - half.bytes == 2 * (2 * 3 * 30 + 2 * 4 * 9)


def test_only_materialised_kernels_need_memory_of_their_own():
    layers = [LayerCase(CONV, count=3), LayerCase(GatedConvCase("tiny", batch=1, in_channels=1, out_channels=1))]
    kernels, columns = 2 * 4 * 27, 2 * 27 * 9
    assert materialised_bytes(layers, "ours", training=True) == 0
    assert materialised_bytes(layers[:1], "grouped", training=True) == 3 * 4 * 2 * kernels
    assert materialised_bytes(layers, "unfold", training=False) == 4 * (2 * kernels + columns)


def test_operands_flow_as_between_layers():
    settings = Settings(amp="bf16", channels_last=True)
    tensors = LayerCase(CONV, input_grad=False).operands(settings)
    assert tensors["x"].dtype == torch.bfloat16
    assert tensors["x"].is_contiguous(memory_format=torch.channels_last)
    assert {tensors[name].dtype for name in ("weight", "gate_in", "gate_out")} == {torch.float32}
    assert [name for name, tensor in tensors.items() if tensor.requires_grad] == ["weight", "gate_in", "gate_out"]
    for formulation in ("plain", "unfold", "grouped", "ours"):
        LayerCase(CONV).step(formulation, training=True, settings=settings)()
