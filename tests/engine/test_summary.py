"""Pieces of the start-up summary."""

import torch
from mmengine.config import Config
from torch import nn

from cgc_video.engine.build_errors import _sentence
from cgc_video.engine.names import nearest, suggestion
from cgc_video.engine.summary import effective_batch_size, format_block, gated_layers, learning_rates


class CGC2d(nn.Conv2d):
    """Stands for a gated layer, known by its class name and its gate."""

    def __init__(self, kernel_size: int) -> None:
        super().__init__(2, 2, kernel_size, bias=False)
        self.gate = nn.Linear(3, 3, bias=False) if kernel_size > 1 else None


def test_gates_are_counted_and_their_rate_is_shown():
    model = nn.Sequential(CGC2d(3), CGC2d(1), nn.Linear(4, 1, bias=False))
    assert gated_layers(model) == {"CGC2d": 1}
    gates = list(model[0].gate.parameters())
    others = [p for p in model.parameters() if all(p is not g for g in gates)]
    optimizer = torch.optim.SGD([{"params": others}, {"params": gates, "lr": 0.01}], lr=0.1)
    assert learning_rates(model, optimizer) == "0.1 (44 parameters), 0.01 (gates, 9 parameters)"
    optimizer.param_groups[0]["initial_lr"] = 0.5  # what a warm-up starts below
    assert learning_rates(model, optimizer).startswith("0.5 (44")


def test_effective_batch_size():
    assert effective_batch_size(8, 4, 2) == 64


def test_block_is_aligned():
    lines = format_block("Title", [("a", "1"), ("long name", "2")]).splitlines()
    assert lines[0] == ""
    assert lines[4] == "a          1"
    assert lines[5] == "long name  2"


def test_nearest_name():
    assert nearest("tsmresnet", ["TSNResNet", "TSMResNet", "SGD"]) == "TSMResNet"
    assert nearest("zzz", ["SGD"]) is None
    assert suggestion("SDG", ["SGD"]) == " (did you mean 'SGD'?)"


def test_only_mistakes_of_the_config_become_sentences():
    cfg = Config(dict(optim_wrapper=dict(optimizer=dict(type="SGD", lrr=1))))
    message = "SGD.__init__() got an unexpected keyword argument 'lrr'"
    assert _sentence(cfg, message) == "optim_wrapper.optimizer (SGD) has no argument 'lrr' (did you mean 'lr'?)."
    assert _sentence(cfg, "f() got an unexpected keyword argument 'other'") is None
    assert _sentence(cfg, "f() got an unexpected keyword argument 'lr'") is None
    assert _sentence(cfg, "unsupported operand") is None
    missing = "SGD.__init__() missing 1 required positional argument: 'params'"
    assert _sentence(cfg, missing) == "optim_wrapper.optimizer (SGD) lacks 'params'; set it in the config."
