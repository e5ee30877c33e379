"""The translation configs: each builds, trains a step and predicts; and they say what the paper says."""

from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import DefaultSampler
from mmengine.optim import build_optim_wrapper
from mmengine.registry import FUNCTIONS, DefaultScope

from cgc_video.translation.batches import TokenBatchSampler
from cgc_video.translation.lightweight_conv import CGCLightweightConv

FOLDER = Path(__file__).resolve().parents[2] / "configs"
CONFIGS = sorted(path for path in FOLDER.glob("*.py") if path.stem.startswith(("lightconv", "transformer")))
PARAMETERS = {  # exactly, with dictionaries of 8,848 and 6,632; Table 6
    "transformer_iwslt14": 39_469_056,
    "lightconv_iwslt14": 38_139_436,
    "lightconv_dynamic_iwslt14": 38_443_992,
    "lightconv_cgc_iwslt14": 38_148_612,
}
MINI = {"lightconv_modetag_mini", "lightconv_cgc_modetag_mini", "lightconv_cgc_copy_mini"}


def load(name: str) -> Config:
    return Config.fromfile(str(FOLDER / f"{name}.py"))


def batch_of(cfg: Config) -> dict:
    """Three sentences: drawn from the config's data, or random numbers where that is a download."""
    collate = FUNCTIONS.get(cfg.train_dataloader.collate_fn.type)
    if cfg.train_dataloader.dataset.type != "ParallelText":
        data = DATASETS.build({**cfg.train_dataloader.dataset, "sentences": 3})
        return collate([data[index] for index in range(3)])
    sides = {"source": cfg.model.encoder.vocabulary_size, "target": cfg.model.decoder.vocabulary_size}
    pairs = ({side: torch.randint(4, size, (n,)).numpy() for side, size in sides.items()} for n in (3, 7, 5))
    return collate([{**pair, "reference": "", "index": 0} for pair in pairs])


def test_every_promised_config_is_there():
    assert {path.stem for path in CONFIGS} == {*PARAMETERS, *MINI}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_builds_trains_a_step_and_predicts(path: Path):
    cfg = load(path.stem)
    if "beam" in cfg.model:
        cfg.model.beam.update(size=2, max_length=3)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    batch = batch_of(cfg)
    log = model.train().train_step(batch, wrapper)
    assert torch.isfinite(log["loss"])
    gates = [module for module in model.modules() if isinstance(module, CGCLightweightConv)]
    assert len(gates) == (len(cfg.model.encoder.kernel_sizes) if "_cgc" in path.stem else 0)
    with torch.no_grad():
        samples = model.eval().test_step(batch)
    assert len(samples) == 3
    assert all(("pred_tags" in sample) or ("pred_tokens" in sample and "score" in sample) for sample in samples)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_of_table_6(name: str):
    cfg = load(name)
    with DefaultScope.overwrite_default_scope(cfg.default_scope), torch.device("meta"):
        model = MODELS.build(cfg.model)
    assert sum(parameter.numel() for parameter in model.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", PARAMETERS)
def test_training_settings_of_the_paper(name: str):
    cfg = load(name)
    optimizer, schedule = cfg.optim_wrapper.optimizer, cfg.param_scheduler[0]
    assert (optimizer.type, optimizer.lr, optimizer.betas, optimizer.eps) == ("AdamW", 5e-4, (0.9, 0.98), 1e-8)
    assert optimizer.weight_decay == 1e-4
    assert "clip_grad" not in cfg.optim_wrapper
    assert (schedule.type, schedule.warmup, schedule.start_lr) == ("InverseSqrtLR", 4000, 1e-7)
    assert (cfg.train_cfg.type, cfg.train_cfg.max_updates) == ("UpdateBasedTrainLoop", 50_000)
    assert cfg.train_dataloader.batch_sampler == dict(type="TokenBatchSampler", max_tokens=4000)
    assert (cfg.model.label_smoothing, cfg.model.beam.size, cfg.model.beam.length_penalty) == (0.1, 6, 1.0)
    assert cfg.model.encoder.dropout == cfg.model.decoder.dropout == 0.3
    assert cfg.model.decoder.attention_dropout == 0.1
    mixers = cfg.model.encoder.mixer, cfg.model.decoder.mixer
    assert all(mixer["dropout" if name.startswith("transformer") else "weight_dropout"] == 0.1 for mixer in mixers)
    (average,) = (hook for hook in cfg.custom_hooks if hook.type == "AverageCheckpointsHook")
    assert average.last == cfg.default_hooks.checkpoint.max_keep_ckpts == 10


@pytest.mark.parametrize("name", ["lightconv_cgc_iwslt14", "lightconv_dynamic_iwslt14", "lightconv_cgc_modetag_mini"])
def test_a_variant_is_its_baseline_plus_one_line(name: str):
    lines = [line for line in (FOLDER / f"{name}.py").read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) == 2
    assert lines[0].startswith("_base_ = ")
    assert "mixer" in lines[1]


@pytest.mark.parametrize(("name", "steps"), [("lightconv_cgc_modetag_mini", 750), ("lightconv_cgc_copy_mini", 2000)])
def test_steps_of_the_toy_tasks(name: str, steps: int):
    cfg = load(name)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        data = DATASETS.build(cfg.train_dataloader.dataset)
    batches = len(data) // cfg.train_dataloader.batch_size
    if "batch_sampler" in cfg.train_dataloader:
        batches = len(TokenBatchSampler(DefaultSampler(data, seed=0), cfg.train_dataloader.batch_size))
    assert cfg.train_cfg.max_epochs * batches == steps
    assert cfg.optim_wrapper.optimizer.lr == 2e-3
