"""The four rows of Table 6: their parameter counts, a step of each, and what the runner calls."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import nn

from cgc_video.errors import UserError
from cgc_video.translation import TranslationModel
from cgc_video.translation.special_tokens import BOS, EOS, PAD

CONV = dict(mixer=dict(type="LightweightConv", weight_dropout=0.1))
ATTENTION = dict(mixer=dict(type="SelfAttention"), kernel_sizes=None, num_layers=6)
# Row: encoder, decoder, parameters with dictionaries of 8,848 and 6,632, and as in Table 6 (M)
ROWS = {
    "Transformer": (ATTENTION, dict(**ATTENTION, tie_embeddings=True), 39_469_056, "39.47"),
    "LightConv": (CONV, CONV, 38_139_436, "38.14"),
    "+ dynamic encoder": (dict(mixer=dict(type="DynamicConv")), CONV, 38_443_992, "38.44"),
    "+ CGC encoder": (dict(mixer=dict(type="CGCLightweightConv")), CONV, 38_148_612, "38.15"),
    "+ CGC encoder, k//2": (
        dict(mixer=dict(type="CGCLightweightConv", latent_dim="k//2", norm_heads=False)),
        CONV,
        38_147_534,
        "38.15",
    ),
}


def small(row: str, **options) -> TranslationModel:
    """A row of the table at a width of 16, with layers of k = 7 (encoder) and 3, 3 (decoder)."""
    encoder, decoder = copy.deepcopy(ROWS[row][:2])
    for part, kernel_sizes in ((encoder, (7,)), (decoder, (3, 3))):
        part.update(vocabulary_size=30, width=16, hidden=32, heads=4)
        part.update(num_layers=2) if "num_layers" in part else part.update(kernel_sizes=kernel_sizes)
    config = dict(type="TranslationModel", encoder=encoder, decoder=decoder)
    return MODELS.build({**config, "beam": dict(size=3, max_length=9), **options})


def batch(side: str = "right", lengths: tuple[int, ...] = (3, 8, 5)) -> dict:
    source, target, target_input = (torch.full((len(lengths), max(lengths) + 1), PAD) for _ in range(3))
    for row, length in enumerate(lengths):
        words = torch.randint(4, 30, (2, length))
        place = slice(0, length + 1) if side == "right" else slice(-length - 1, None)
        source[row, place] = torch.cat([words[0], torch.tensor([EOS])])
        target[row, : length + 1] = torch.cat([words[1], torch.tensor([EOS])])
        target_input[row, : length + 1] = torch.cat([torch.tensor([EOS]), words[1]])
    return dict(source=source, target_input=target_input, target=target)


@pytest.mark.parametrize("row", ROWS)
def test_parameters_of_table_6(row: str):
    encoder, decoder, exact, paper = ROWS[row]
    with torch.device("meta"):
        model = TranslationModel({"vocabulary_size": 8848, **encoder}, {"vocabulary_size": 6632, **decoder})
    ours = sum(parameter.numel() for parameter in model.parameters())
    print(f"\n{row:<24} {ours:>12,}   paper {paper} M", end="")
    assert ours == exact
    assert f"{ours / 1e6:.2f}" == paper


@pytest.mark.parametrize("row", ROWS)
def test_a_training_step_moves_every_parameter(row: str):
    model, data = small(row).train(), batch()
    before = {name: value.clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.0)
    for _ in range(3):  # a gate's encoder moves once its decoder has left zero
        optimizer.zero_grad()
        losses = model(**data, mode="loss")
        losses["loss"].backward()
        optimizer.step()
    still = {name for name, value in model.named_parameters() if torch.equal(value, before[name])}
    assert {name for name in still if not name.endswith("key.bias")} == set()  # a key's bias shifts all scores alike
    assert losses["tokens"] == 19
    assert losses["perplexity"] > 1


@pytest.mark.parametrize("row", ["Transformer", "+ CGC encoder"])
def test_it_learns_a_batch_by_heart_and_beam_search_recites_it(row: str):
    model, data = small(row), batch(lengths=(3, 6))
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    model.label_smoothing = 0.0
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        model(**data, mode="loss")["loss"].backward()
        optimizer.step()
    model.eval()
    for sample, target in zip(model(**data, mode="predict"), data["target"], strict=True):
        assert sample.pred_tokens.tolist() == target[: target.eq(EOS).nonzero()].tolist()
        assert sample.score > -0.1


@pytest.mark.parametrize("row", ROWS)
def test_predictions_do_not_depend_on_batch_and_padding(row: str):
    model = small(row).eval()
    right = batch("right")["source"]
    left = torch.full_like(right, PAD)
    for row_index, sentence in enumerate(right):
        words = sentence[sentence.ne(PAD)]
        left[row_index, -len(words) :] = words
    for source in (right, left):
        for found, sentence in zip(model(source, mode="predict"), right, strict=True):
            (alone,) = model(sentence[sentence.ne(PAD)].unsqueeze(0), mode="predict")
            assert torch.equal(found.pred_tokens, alone.pred_tokens)
            assert found.score == pytest.approx(alone.score, abs=1e-5)
            assert not set(found.pred_tokens.tolist()) & {BOS, PAD, EOS}
            assert 1 <= len(found.pred_tokens) <= 9


def test_the_runner_gets_its_samples_back():
    model, data = small("+ CGC encoder").eval(), batch()
    samples = [BaseDataElement(reference=str(number)) for number in range(3)]
    found = model.test_step({**data, "data_samples": samples})
    assert [sample.reference for sample in found] == ["0", "1", "2"]
    assert all(sample.pred_tokens.dtype == torch.int64 for sample in found)
    assert model(**data).shape == (3, 9, 30)
    with pytest.raises(ValueError, match=r"mode \('train'\) must be 'tensor', 'loss' or 'predict'"):
        model(**data, mode="train")


def test_the_state_dict_makes_the_same_model():
    model, other, data = small("+ CGC encoder").eval(), small("+ CGC encoder").eval(), batch()
    assert not torch.equal(model(**data), other(**data))
    other.load_state_dict(model.state_dict())
    assert torch.equal(model(**data), other(**data))
    assert "encoder.layers.0.mixer.conv.gate.decode.weight" in model.state_dict()  # where lr_mult finds gates


@pytest.mark.parametrize("row", ROWS)
def test_it_trains_and_translates_under_autocast(row: str):
    model, data = small(row), batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(**data, mode="loss")["loss"]
    assert loss.dtype == torch.float32
    loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert all(sample.score < 0 for sample in model.eval()(data["source"], mode="predict"))


def test_widths_that_differ_are_refused():
    with pytest.raises(UserError, match=r"the encoder's width \(16\) and the decoder's \(512\) must be equal"):
        TranslationModel(dict(**CONV, vocabulary_size=30, width=16), dict(**CONV, vocabulary_size=30))


@pytest.mark.parametrize(
    ("part", "options", "message"),
    [
        ("encoder", {"wdith": 8}, r"model.encoder has no argument 'wdith' \(did you mean 'width'\?\)\."),
        ("decoder", {"zzz": 8}, r"model.decoder has no argument 'zzz'; remove it from the config\."),
        ("beam", {"beams": 6}, r"model.beam has no argument 'beams'"),
    ],
    ids=str,
)
def test_unknown_arguments_are_refused(part: str, options: dict, message: str):
    parts = dict(encoder=dict(**CONV, vocabulary_size=30), decoder=dict(**CONV, vocabulary_size=30), beam={})
    parts[part] |= options
    with torch.device("meta"), pytest.raises(UserError, match=message):
        TranslationModel(**parts)


def test_a_share_out_of_its_range_is_refused():
    with pytest.raises(UserError, match=r"label_smoothing \(1.0\) must be at least 0 and below 1"):
        small("LightConv", label_smoothing=1.0)


def test_a_missing_argument_is_named():
    with pytest.raises(UserError, match=r"model.encoder lacks 'vocabulary_size'; set it in the config\."):
        TranslationModel(CONV, CONV)
