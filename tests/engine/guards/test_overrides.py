"""Options of the command line that do not fit a config."""

import argparse
from pathlib import Path

import pytest

from cgc_video.engine.guards.overrides import OptionAction, load_overridden
from cgc_video.errors import UserError

CONFIG = str(Path(__file__).parents[3] / "configs" / "tsm_r18_cgc_mini.py")


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cfg-options", nargs="+", action=OptionAction)
    return lambda *options: parser.parse_args(["--cfg-options", *options]).cfg_options


def test_values_are_read_as_by_mmengine(parse):
    assert parse("a.b=1", "c=[1,(2,x)]", "d=None", "e=x=y", "f=1,2") == {
        "a.b": 1, "c": [1, (2, "x")], "d": None, "e": "x=y", "f": [1, 2],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("epochs", "epochs must read KEY=VALUE"),
        ("=1", "=1 must read KEY=VALUE"),
        ("a..b=1", "a..b=1 must read KEY=VALUE"),
        ("a=[1,(2]", r"a=\[1,\(2\] cannot be read \(Imbalanced brackets"),
    ],
)
def test_texts_that_are_no_option(parse, capsys, option, message):
    import re

    with pytest.raises(SystemExit, match="2"):
        parse(option)
    assert re.search(f"--cfg-options: {message}", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"custom_hooks": True},
            r"--cfg-options custom_hooks: \(True\) must be a list, as in the config; set one of its parts",
        ),
        ({"default_hooks": "x"}, "--cfg-options default_hooks: .* must be keys and values"),
        ({"custom_hooks.0": "CurvesHook"}, "--cfg-options custom_hooks.0"),
        ({"train_dataloader.dataset.pipeline.1": 3}, "--cfg-options train_dataloader.dataset.pipeline.1"),
        (
            {"custom_hooks.0": None},
            r"--cfg-options custom_hooks.0=None: the config cannot be used with that \(AttributeError",
        ),
    ],
)
def test_parts_stay_parts(options, message):
    with pytest.raises(UserError, match=message):
        load_overridden(CONFIG, options, "train")


def test_no_option_and_no_data_are_left_to_the_start():
    assert load_overridden(CONFIG, None, "train").num_classes == 8


def test_a_loader_without_workers(monkeypatch):
    monkeypatch.setattr("cgc_video.engine.guards.overrides._try_start", lambda cfg, split: None)  # which wants the data
    loader = load_overridden(CONFIG, {"train_dataloader.num_workers": 0}, "train").train_dataloader
    assert (loader.num_workers, loader.persistent_workers, loader.prefetch_factor) == (0, False, None)
