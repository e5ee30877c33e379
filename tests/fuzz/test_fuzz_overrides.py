"""``--cfg-options``: what cannot be used is refused in a sentence that names the option or the part of the config, before anything is built."""

import argparse
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from mmengine.config import Config
from mmengine.registry import DefaultScope

from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.engine.config import load_config
from cgc_video.engine.guards.overrides import OptionAction, load_overridden
from cgc_video.errors import UserError

pytestmark = [pytest.mark.timeout(7200), pytest.mark.filterwarnings("ignore")]

CONFIG = Path(__file__).parents[2] / "configs" / "tsm_r18_cgc_mini.py"
WORDS = [
    "None",
    "True",
    "-1",
    "0",
    "1e400",
    "nan",
    "99999999999999999999",
    "[]",
    "()",
    "[1,2]",
    "[(1,2),3]",
    "a.b",
    "TSMHead",
    "''",
    "[",
    "a=b",
]
TEXT = st.text(st.sampled_from(list("ab01.,=[]()'\" _-{}\\/\n\0\u00e4")), max_size=20)


def keys_of(node: Any, way: str = "") -> Iterator[str]:
    """Every key of a config, in the form of the option."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list | tuple) else ()
    for key, value in items:
        inner = f"{way}.{key}" if way else str(key)
        yield inner
        yield from keys_of(value, inner)


def options() -> st.SearchStrategy[list[str]]:
    known = st.sampled_from(sorted(set(keys_of(Config.fromfile(str(CONFIG))._cfg_dict.to_dict()))))
    damaged = st.builds(lambda key, place, new: key[:place] + new + key[place + 1 :], known, st.integers(0, 40), TEXT)
    deeper = st.builds(lambda key, new: f"{key}.{new}", known, st.one_of(TEXT, st.sampled_from(["type", "0", "x"])))
    key = st.one_of(known, known, known, known, damaged, deeper, TEXT)
    value = st.one_of(st.sampled_from(WORDS), st.integers().map(str), st.floats().map(str), TEXT)
    return st.lists(st.builds("{}={}".format, key, value), min_size=1, max_size=3)


def build_parser() -> argparse.ArgumentParser:
    """The part of a tool's options that is tried here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("--cfg-options", nargs="+", action=OptionAction)
    return parser


@pytest.fixture
def data(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    build_mini(tmp_path / "data" / "mini_sth", MiniArguments(train=8, val=4, size=64, frames=12), workers=1)


@pytest.mark.parametrize("split", ["train", "test"])
def test_overrides(fuzz, data, capsys, monkeypatch, split):
    loaded = load_config(str(CONFIG))
    monkeypatch.setattr(
        "cgc_video.engine.config.load_config", lambda path: copy.deepcopy(loaded)
    )  # reading it takes long

    def use(given: list[str]) -> bool:
        try:
            args = build_parser().parse_args([str(CONFIG), "--cfg-options", *given])
        except SystemExit:  # argparse's own way to refuse, which names the option
            message = capsys.readouterr().err
            assert "--cfg-options" in message or "unrecognized arguments" in message, message
            return False
        try:
            load_overridden(str(CONFIG), args.cfg_options, split)
        except UserError as error:
            message = str(error)
        else:
            return True
        named = [part for key in args.cfg_options for part in key.split(".")]
        named += [str(value) for value in args.cfg_options.values() if value != ""]
        assert any(part in message for part in named), message
        return False

    with DefaultScope.overwrite_default_scope("mmaction"):
        outcome = fuzz(options(), use, few=40)
    assert outcome.accepted
    assert outcome.refused
