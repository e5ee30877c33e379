"""A number of updates instead of epochs, and going on inside an epoch, through MMEngine's runner."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from cgc_video.engine import launch
from cgc_video.errors import UserError
from cgc_video.translation.loops import UpdateBasedTrainLoop

LAYERS = dict(mixer=dict(type="LightweightConv"), kernel_sizes=(3,), width=16, hidden=16, heads=2, dropout=0.0)
LOADER = dict(num_workers=0, batch_size=8, collate_fn=dict(type="collate_pairs"))
CONFIG = dict(
    default_scope="mmaction",
    model=dict(
        type="TranslationModel",
        encoder=dict(vocabulary_size=26, **LAYERS),
        decoder=dict(vocabulary_size=24, attention_dropout=0.0, **LAYERS),
    ),
    train_dataloader=dict(
        **LOADER,
        sampler=dict(type="DefaultSampler", shuffle=True),
        batch_sampler=dict(type="TokenBatchSampler", max_tokens=60),
        dataset=dict(type="ModeCopies", sentences=40, seed=1),
    ),
    train_cfg=dict(type="UpdateBasedTrainLoop", max_updates=20),
    param_scheduler=[dict(type="InverseSqrtLR", warmup=5)],
    optim_wrapper=dict(optimizer=dict(type="AdamW", lr=1e-2)),
    default_hooks=dict(
        checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=11),
        sampler_seed=dict(type="DistSamplerSeedHook"),
    ),
    custom_hooks=[dict(type="DictionaryHook")],
    randomness=dict(seed=3),
    visualizer=dict(type="Visualizer"),
)


def train(folder: Path, **changes):
    cfg = Config(copy.deepcopy({**CONFIG, **changes, "work_dir": str(folder)}))
    return launch.train(cfg)


def test_ends_with_the_last_update_and_resumes_inside_an_epoch(tmp_path, caplog):
    whole = train(tmp_path / "whole")
    batches = len(whole.train_dataloader)
    assert whole.iter == 20
    assert 11 % batches  # the checkpoint lies inside an epoch
    assert 20 % batches  # so does the end
    assert whole.epoch == whole.max_epochs == -(-20 // batches)

    again = train(tmp_path / "again", resume=True, load_from=str(tmp_path / "whole" / "iter_11.pth"))
    assert again.iter == 20
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(again.model.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_a_run_that_is_done_trains_no_more(tmp_path):
    whole = train(tmp_path, default_hooks=dict(checkpoint=dict(type="CheckpointHook", interval=1)))
    again = train(tmp_path, resume=True)
    assert again.iter == 20
    assert all((again.model.state_dict()[name] == value).all() for name, value in whole.model.state_dict().items())


def test_updates_must_be_positive():
    with pytest.raises(UserError, match=r"train_cfg.max_updates \(0\) must be at least 1"):
        UpdateBasedTrainLoop(None, None, max_updates=0)


def test_a_model_for_other_dictionaries(tmp_path):
    model = copy.deepcopy(CONFIG["model"])
    model["decoder"]["vocabulary_size"] = 32
    with pytest.raises(UserError, match=r"has 24 tokens, .* model.decoder.vocabulary_size is 32; set --cfg-options"):
        train(tmp_path, model=model)


def test_a_checkpoint_of_other_dictionaries(tmp_path):
    train(tmp_path, train_cfg=dict(type="UpdateBasedTrainLoop", max_updates=11))
    content = torch.load(tmp_path / "iter_11.pth", weights_only=True)
    content["meta"]["dataset_meta"]["source_digest"] = "another"
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(
        UserError, match=r"the source dictionary \(the data's own\) is not the one that checkpoint .*other.pth"
    ):
        train(tmp_path, resume=True, load_from=str(tmp_path / "other.pth"))


def test_starting_from_a_checkpoint_of_another_model(tmp_path):
    torch.save({"state_dict": {"encoder.x": torch.ones(2)}}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"load_from .*other.pth\) fits only 0 of \d+ entries of the model"):
        train(tmp_path, load_from=str(tmp_path / "other.pth"))
