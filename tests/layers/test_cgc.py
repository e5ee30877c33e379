"""The three layers: the plain convolution's arguments, contexts, gradients, weights."""

import copy

import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn import build_conv_layer
from torch import nn

from cgc_video.layers import CGC1d, CGC2d, CGC3d

# Layer, the plain layer it replaces, input shape
LAYERS = {
    "2d": (CGC2d(16, 8, 3, padding=1), nn.Conv2d(16, 8, 3, padding=1), (3, 16, 7, 5)),
    "2d-rectangular-stride": (
        CGC2d(3, 8, (5, 3), (2, 1), (2, 1)),
        nn.Conv2d(3, 8, (5, 3), (2, 1), (2, 1)),
        (3, 3, 9, 8),
    ),
    "2d-dilated-no-bias": (
        CGC2d(8, 8, 3, dilation=2, bias=False),
        nn.Conv2d(8, 8, 3, dilation=2, bias=False),
        (2, 8, 9, 7),
    ),
    "2d-groups": (CGC2d(32, 64, 3, groups=4), nn.Conv2d(32, 64, 3, groups=4), (2, 32, 6, 6)),
    "2d-depthwise": (
        CGC2d(8, 8, 3, groups=8, padding="same"),
        nn.Conv2d(8, 8, 3, groups=8, padding="same"),
        (2, 8, 6, 5),
    ),
    "2d-circular": (
        CGC2d(8, 4, 3, padding=(1, 2), padding_mode="circular"),
        nn.Conv2d(8, 4, 3, padding=(1, 2), padding_mode="circular"),
        (2, 8, 6, 5),
    ),
    "2d-pointwise": (CGC2d(8, 4, 1, stride=2), nn.Conv2d(8, 4, 1, stride=2), (2, 8, 6, 5)),
    "1d-temporal": (
        CGC1d(16, 8, (3, 1, 1), (2, 1, 1), (1, 0, 0)),
        nn.Conv3d(16, 8, (3, 1, 1), (2, 1, 1), (1, 0, 0)),
        (2, 16, 7, 4, 3),
    ),
    "1d-sequence": (CGC1d(16, 8, 5, padding=4, dilation=2), nn.Conv1d(16, 8, 5, padding=4, dilation=2), (3, 16, 11)),
    "1d-replicate": (
        CGC1d(8, 8, 3, padding=1, padding_mode="replicate"),
        nn.Conv1d(8, 8, 3, padding=1, padding_mode="replicate"),
        (3, 8, 9),
    ),
    "1d-pointwise": (CGC1d(8, 4, (1, 1, 1)), nn.Conv3d(8, 4, 1), (2, 8, 3, 4, 5)),
    "3d-frames": (CGC3d(16, 8, 3, 2, 1, num_segments=3), nn.Conv2d(16, 8, 3, 2, 1), (6, 16, 7, 6)),
    "3d-clips": (
        CGC3d(16, 8, (1, 3, 5), (1, 2, 1), (0, 1, 2), bias=False),
        nn.Conv3d(16, 8, (1, 3, 5), (1, 2, 1), (0, 1, 2), bias=False),
        (2, 16, 4, 7, 6),
    ),
    "3d-pointwise": (CGC3d(8, 4, (1, 1, 1), stride=(1, 2, 2)), nn.Conv3d(8, 4, 1, stride=(1, 2, 2)), (2, 8, 3, 4, 5)),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def get(name: str) -> tuple[nn.Module, nn.Module, torch.Tensor]:
    layer, plain, shape = copy.deepcopy(LAYERS[name])
    return layer, plain, torch.randn(shape)


@every_layer
def test_plain_weights_give_the_plain_layer(name: str):
    layer, plain, x = get(name)
    source = plain.state_dict()
    kept = copy.deepcopy(source)
    layer.load_state_dict(source, strict=False)
    torch.testing.assert_close(layer.eval()(x), plain(x), atol=1e-5, rtol=1e-5)
    for key in source:  # the caller's tensors stay as they are
        torch.testing.assert_close(source[key], kept[key], rtol=0, atol=0)
    if layer.gate is None:
        assert sum(p.numel() for p in layer.parameters()) == sum(p.numel() for p in plain.parameters())


@every_layer
def test_own_weights_load_as_they_are(name: str):
    layer, _, x = get(name)
    if layer.gate is not None:
        nn.init.normal_(layer.gate.decode_in.weight)
    other, _, _ = get(name)
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other.eval()(x), layer.eval()(x), rtol=0, atol=0)


@every_layer
def test_gradients_reach_the_input_and_every_parameter(name: str):
    layer, _, x = get(name)
    if layer.gate is not None:
        for decoder in (layer.gate.decode_in, layer.gate.decode_out):
            nn.init.normal_(decoder.weight)
    layer(x.requires_grad_()).square().sum().backward()
    assert x.grad.abs().sum() > 0
    assert [n for n, p in layer.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(
    "name", ["2d", "2d-groups", "2d-rectangular-stride", "1d-temporal", "1d-sequence", "3d-frames", "3d-clips"]
)
def test_gradients_in_float64(name: str):
    layer, _, x = get(name)
    layer, x = layer.double(), x.double().requires_grad_()
    for decoder in (layer.gate.decode_in, layer.gate.decode_out):
        nn.init.normal_(decoder.weight)
    parameters = dict(layer.named_parameters())

    def function(x, *values):
        return torch.func.functional_call(layer, dict(zip(parameters, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(function, (x, *parameters.values()), fast_mode=True, atol=1e-4)


@pytest.mark.parametrize("gate", ["both", "in", "out", "product"])
def test_modulated_weight_is_what_each_frame_is_convolved_with(gate: str):
    torch.manual_seed(0)
    layer = CGC3d(8, 6, 3, padding=1, groups=2, num_segments=4, gate=gate).eval()
    for decoder in (layer.gate.decode_in, layer.gate.decode_out):
        if decoder is not None:
            nn.init.normal_(decoder.weight)
    frames = torch.randn(8, 8, 5, 6)
    kernels = layer.modulated_weight(frames)
    assert kernels.shape == (8, 6, 4, 3, 3)
    expected = torch.cat(
        [F.conv2d(x[None], kernel, layer.bias, padding=1, groups=2) for x, kernel in zip(frames, kernels, strict=True)]
    )
    torch.testing.assert_close(layer(frames), expected, rtol=1e-4, atol=1e-5)


def test_a_pointwise_layer_has_no_modulated_weight():
    with pytest.raises(ValueError, match=r"kernel_size \(\(1, 1\)\) is pointwise"):
        CGC2d(8, 4, 1).modulated_weight(torch.randn(1, 8, 2, 2))


def test_a_gate_sees_its_own_sample_alone():
    layer = CGC2d(16, 8, 3, padding=1).eval()
    nn.init.normal_(layer.gate.decode_in.weight)
    x = torch.randn(4, 16, 7, 5)
    torch.testing.assert_close(layer(x)[2:3], layer(x[2:3]))


def test_frames_and_clips_are_two_layouts_of_one_layer():
    frames, clips = CGC3d(8, 8, 3, padding=1, num_segments=5).eval(), CGC3d(8, 8, (1, 3, 3), padding=(0, 1, 1)).eval()
    nn.init.normal_(frames.gate.decode_in.weight)
    clips.load_state_dict({k: v.reshape(clips.state_dict()[k].shape) for k, v in frames.state_dict().items()})
    x = torch.randn(2, 8, 5, 6, 6)
    y = frames(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (2, 5)).transpose(1, 2)
    torch.testing.assert_close(clips(x), y)
    torch.testing.assert_close(frames(x), y)


def test_temporal_context_tells_an_order_from_its_reverse():
    layer = CGC3d(4, 4, 3, padding=1, num_segments=6).eval()
    nn.init.normal_(layer.gate.decode_in.weight)
    x = torch.randn(6, 4, 8, 8)
    assert not torch.allclose(layer(x).mean(0), layer(x.flip(0)).mean(0), atol=1e-3)


def test_gate_frames_are_interpolated_linearly_and_taken_literally_when_equal():
    layer = CGC3d(4, 4, 3, padding=1, gate_frames=2, bias=False).eval()
    nn.init.normal_(layer.gate.decode_in.weight)
    logits = {}
    layer.gate.register_forward_hook(lambda module, args, output: logits.update(out=output))
    x = torch.randn(1, 4, 4, 6, 6)
    y = layer(x)
    for frame, share in enumerate((0.0, 0.25, 0.75, 1.0)):  # halves of four frames meet at their centres
        gate_in, gate_out = ((1 - share) * part[:, :, 0] + share * part[:, :, 1] for part in logits["out"])
        kernel = layer.weight * torch.sigmoid(gate_in[0] + gate_out[0].unsqueeze(1))
        torch.testing.assert_close(y[:, :, frame], F.conv2d(x[:, :, frame], kernel, padding=1))
    literal = CGC3d(4, 4, 3, padding=1, gate_frames=4)
    assert literal.gate.decode_in.out_features == 4 * 9
    assert literal(x).shape == y.shape


@pytest.mark.parametrize("num_frames", [1, 2, 3, 8, 17])
def test_any_frame_count_runs(num_frames: int):
    assert CGC3d(4, 4, 3, padding=1)(torch.randn(2, 4, num_frames, 5, 5)).shape == (2, 4, num_frames, 5, 5)


@pytest.mark.parametrize(
    ("layer", "grid", "latent_dim"),
    [
        (CGC2d(16, 16, 3), (3, 3), 5),
        (CGC2d(16, 16, (5, 3), context_scale=2), (10, 6), 8),
        (CGC1d(16, 16, 5), (5,), 3),
        (CGC3d(16, 16, 3), (3, 3, 3), 14),
        (CGC3d(3, 64, 7), (7, 7, 7), 172),
        (CGC2d(16, 16, 3, latent_dim=9), (3, 3), 9),
    ],
)
def test_context_grid_and_latent_size_follow_the_kernel(layer: nn.Module, grid: tuple, latent_dim: int):
    assert layer.grid == grid
    assert layer.gate.encode.out_features == latent_dim


def test_max_pooling_is_taken_over_space_and_time():
    layer = CGC3d(1, 1, 3, padding=1, pool="max").eval()
    contexts = []
    layer.gate.register_forward_pre_hook(lambda module, args: contexts.append(args[0]))
    x = torch.randn(1, 1, 6, 9, 9)
    layer(x)
    torch.testing.assert_close(contexts[0].view(3, 3, 3), F.adaptive_max_pool3d(x, 3)[0, 0])


def test_registered_for_every_openmmlab_model():
    for name in ("CGC1d", "CGC2d", "CGC3d"):
        layer = build_conv_layer(dict(type=name, latent_dim=2), 16, 16, 3, padding=1)
        assert type(layer).__name__ == name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CGC1d(4, 4, (3, 3, 1)), r"kernel_size \(\(3, 3, 1\)\) of CGC1d must be k or \(k, 1, 1\)"),
        (lambda: CGC1d(4, 4, (3, 1, 1), stride=2), r"stride \(\(2, 2, 2\)\) of CGC1d must be s or \(s, 1, 1\)"),
        (lambda: CGC1d(4, 4, (3, 1, 1), padding=1), r"padding \(\(1, 1, 1\)\) of CGC1d must be p or \(p, 0, 0\)"),
        (lambda: CGC3d(4, 4, (3, 3, 3)), r"kernel_size \(\(3, 3, 3\)\) of CGC3d must be"),
        (lambda: CGC3d(4, 4, (1, 3, 3), stride=(2, 1, 1)), r"stride \(\(2, 1, 1\)\) of CGC3d must be"),
        (lambda: CGC3d(4, 4, (1, 3, 3), padding=1), r"padding \(\(1, 1, 1\)\) of CGC3d must be"),
        (lambda: CGC3d(4, 4, 3, gate_frames=0), r"gate_frames \(0\) must be at least 1"),
        (lambda: CGC3d(4, 4, 3)(torch.zeros(4, 4, 5, 5)), "has no time axis; set num_segments"),
        (
            lambda: CGC3d(4, 4, 3, num_segments=3)(torch.zeros(4, 4, 5, 5)),
            r"num_segments \(3\) must divide the frame count \(4\)",
        ),
    ],
)
def test_what_a_layer_cannot_do_it_refuses_by_name(make, message: str):
    with pytest.raises((ValueError, RuntimeError), match=message):
        make()
