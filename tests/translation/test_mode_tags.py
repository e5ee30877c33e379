"""The gate carries what a convolution cannot: the mode-tag task by its two configs (Sec. 4.4's layers in small)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import FUNCTIONS, DefaultScope
from torch.utils.data import DataLoader

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
MOST_STEPS, BETWEEN = 750, 125


def accuracies(name: str, seed: int) -> Iterator[tuple[int, float]]:
    """Train as the config says; yield the step and the accuracy out of the mode token's reach every 125 steps."""
    cfg = Config.fromfile(str(CONFIGS / f"{name}.py"))
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
        train, test = (DATASETS.build(cfg[f"{split}_dataloader"].dataset) for split in ("train", "val"))
    collate, batch_size = FUNCTIONS.get(cfg.train_dataloader.collate_fn.type), cfg.train_dataloader.batch_size
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.optim_wrapper.optimizer.lr)
    step = 0
    while True:
        for batch in DataLoader(train, batch_size, shuffle=True, collate_fn=collate, drop_last=True):
            optimizer.zero_grad()
            model(**batch, mode="loss")["loss"].backward()
            optimizer.step()
            step += 1
            if step % BETWEEN == 0:
                yield step, accuracy(model, collate([test[index] for index in range(len(test))]))


@torch.no_grad()
def accuracy(model: torch.nn.Module, batch: dict) -> float:
    scored = batch["target"] != -100
    return (model.eval()(batch["source"]).argmax(2) == batch["target"])[scored].float().mean().item()


@pytest.mark.parametrize("seed", [0])
def test_the_gate_solves_it_within_750_steps(seed):
    for step, found in accuracies("lightconv_cgc_modetag_mini", seed):
        if found > 0.95:
            break
        assert step < MOST_STEPS, f"{found:.1%} after {step} steps"


def test_the_plain_convolution_stays_near_chance():
    """It guesses one of four; where it sees the mode token it learns, which is not scored."""
    found = next(found for step, found in accuracies("lightconv_modetag_mini", 0) if step >= 3 * BETWEEN)
    assert 0.2 < found < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_for_the_whole_750_steps(seed):
    for name, low, high in (("lightconv_cgc_modetag_mini", 0.95, 1), ("lightconv_modetag_mini", 0.2, 0.3)):
        last = next(found for step, found in accuracies(name, seed) if step == MOST_STEPS)
        assert low < last <= high, name
