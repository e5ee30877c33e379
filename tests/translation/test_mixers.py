"""What stands in a layer's place of mixing: zeros at the padding, attention as PyTorch's, and refusals."""

import pytest
import torch
from torch import nn

from cgc_video.errors import UserError
from cgc_video.translation.attention import Attention, SelfAttention
from cgc_video.translation.lightweight_conv import LightweightConv
from cgc_video.translation.mixers import ConvMixer, build_mixers


def test_a_convolution_sees_zeros_at_the_padding():
    mixer = ConvMixer(LightweightConv(8, 2, 3))
    x, valid = torch.randn(2, 6, 8), torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    masked = mixer.project_in(x) * valid.unsqueeze(2)
    torch.testing.assert_close(mixer(x, valid), mixer.project_out(mixer.conv(masked)))
    torch.testing.assert_close(mixer(x, valid)[1, :4], mixer(x[1:, :4])[0])


def pytorchs(attention: Attention) -> nn.MultiheadAttention:
    """PyTorch's attention with the same weights."""
    theirs = nn.MultiheadAttention(attention.query.in_features, attention.heads, batch_first=True)
    parts = (attention.query, attention.key, attention.value)
    theirs.in_proj_weight.data = torch.cat([part.weight.data for part in parts])
    theirs.in_proj_bias.data = torch.cat([part.bias.data for part in parts])
    theirs.out_proj.load_state_dict(attention.output.state_dict())
    return theirs


def with_biases(attention: Attention) -> Attention:
    for name, parameter in attention.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    return attention


def test_attention_is_pytorchs():
    attention = with_biases(Attention(16, 4))
    x, memory = torch.randn(2, 5, 16), torch.randn(2, 7, 16)
    valid = torch.tensor([[True] * 7, [False] * 3 + [True] * 4])
    expected, _ = pytorchs(attention)(x, memory, memory, key_padding_mask=~valid)
    torch.testing.assert_close(attention(x, *attention.project(memory), valid[:, None, None]), expected)


def test_causal_self_attention_is_pytorchs_and_the_same_step_by_step():
    attention = with_biases(SelfAttention(16, 4, causal=True))
    x = torch.randn(6, 5, 16)
    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    expected, _ = pytorchs(attention)(x, x, x, attn_mask=future)
    torch.testing.assert_close(attention(x), expected)
    state = attention.start(3, 2, x)
    for t in range(5):
        y, state = attention.step(x.view(3, 2, 5, 16)[:, :, t], state)
        torch.testing.assert_close(y.flatten(0, 1), expected[:, t], rtol=0, atol=1e-5)


def test_attention_weights_are_dropped_in_training_alone():
    attention, x = SelfAttention(16, 4, dropout=0.5), torch.randn(2, 6, 16)
    assert not torch.equal(attention(x), attention(x))
    assert torch.equal(attention.eval()(x), attention(x))


@pytest.mark.parametrize("mixer", ["LightweightConv", "CGCLightweightConv", "DynamicConv", "SelfAttention"])
def test_each_type_is_built_by_its_name(mixer: str):
    sizes = (None, 3) if mixer == "SelfAttention" else ((3, 5, 3), None)
    built = build_mixers({"type": mixer}, 8, 2, *sizes, causal=False)
    assert [type(getattr(layer, "conv", layer)).__name__ for layer in built] == [mixer] * 3


@pytest.mark.parametrize(
    ("mixer", "kernel_sizes", "num_layers", "message"),
    [
        ("LightweightConv", None, None, r"kernel_sizes \(None\) and num_layers \(None\): give kernel sizes"),
        ("LightweightConv", (3,), 1, r"kernel_sizes \(\(3,\)\) and num_layers \(1\): give kernel sizes"),
        ("LightweightConv", (), None, "must give at least one layer"),
        ("LightweightConv", None, 2, r"kernel size \(None\) must be at least 1; set it in kernel_sizes"),
        ("SelfAttention", (3,), None, r"kernel_sizes must be None with mixer \(SelfAttention\)"),
    ],
)
def test_layers_that_do_not_fit_are_refused(mixer, kernel_sizes, num_layers, message):
    with pytest.raises(UserError, match=message):
        build_mixers({"type": mixer}, 8, 2, kernel_sizes, num_layers, causal=False)


def test_a_mixer_without_a_type_is_refused():
    with pytest.raises(UserError, match=r"mixer \(\{'weight_dropout': 0.1\}\) lacks 'type'; name LightweightConv"):
        build_mixers({"weight_dropout": 0.1}, 8, 2, (3,), None, causal=False)
