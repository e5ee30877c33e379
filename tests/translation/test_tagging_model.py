"""The model of the task that shows what the gate can do."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.structures import BaseDataElement

from cgc_video.translation.special_tokens import PAD


def make(mixer: str = "CGCLightweightConv"):
    encoder = dict(vocabulary_size=28, mixer=dict(type=mixer), kernel_sizes=(3, 3), width=16, hidden=32, dropout=0.0)
    return MODELS.build(dict(type="TaggingModel", encoder=encoder, num_tags=20))


def source() -> torch.Tensor:
    tokens = torch.randint(4, 28, (2, 7))
    tokens[0, 5:] = PAD
    return tokens


def test_the_loss_counts_scored_tokens_alone():
    model, tokens = make().eval(), source()
    target = torch.full_like(tokens, -100)
    target[1, 2], target[0, 4] = 3, 7
    log_probs = model(tokens).log_softmax(-1)
    expected = -(log_probs[1, 2, 3] + log_probs[0, 4, 7]) / 2
    torch.testing.assert_close(model(tokens, target, mode="loss")["loss"], expected)


def test_predictions_are_one_tag_per_token():
    model, tokens = make().eval(), source()
    samples = [BaseDataElement(gt_tags=torch.zeros(length)) for length in (5, 7)]
    found = model.test_step(dict(source=tokens, target=tokens, data_samples=samples))
    best = model(tokens).argmax(-1)
    assert torch.equal(found[0].pred_tags, best[0, :5])
    assert torch.equal(found[1].pred_tags, best[1])
    assert len(found[0].gt_tags) == 5
    assert torch.equal(model(tokens, mode="predict")[1].pred_tags, best[1])
    with pytest.raises(ValueError, match=r"mode \('train'\) must be 'tensor', 'loss' or 'predict'"):
        model(tokens, mode="train")


def test_every_parameter_has_a_gradient():
    model, tokens = make(), source()
    model(tokens, torch.randint(0, 20, tokens.shape), mode="loss")["loss"].backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
