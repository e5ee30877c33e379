"""The loss: PyTorch's label smoothing, per token, blind to padding."""

import pytest
import torch
import torch.nn.functional as F

from cgc_video.translation.losses import label_smoothed_loss
from cgc_video.translation.special_tokens import PAD


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_it_is_pytorchs(smoothing: float):
    logits, target = torch.randn(3, 5, 11, requires_grad=True), torch.randint(2, 11, (3, 5))
    target[0, 3:] = PAD
    loss, likelihood, tokens = label_smoothed_loss(logits, target, smoothing)
    rows, flat = logits.flatten(0, 1), target.flatten()
    expected = F.cross_entropy(rows, flat, ignore_index=PAD, label_smoothing=smoothing)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(likelihood, F.cross_entropy(rows, flat, ignore_index=PAD))
    assert tokens == 13
    (gradient,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, logits)[0])
    assert gradient[0, 3:].eq(0).all()


def test_each_token_counts_the_same_however_long_its_sentence():
    logits, target = torch.randn(2, 4, 9), torch.tensor([[5, 2, PAD, PAD], [4, 6, 7, 2]])
    whole, _, _ = label_smoothed_loss(logits, target, 0.1)
    short, _, _ = label_smoothed_loss(logits[:1], target[:1], 0.1)
    long, _, _ = label_smoothed_loss(logits[1:], target[1:], 0.1)
    torch.testing.assert_close(whole, (2 * short + 4 * long) / 6)
