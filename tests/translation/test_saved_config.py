"""The config in a checkpoint is read, never run."""

import pytest
from mmengine.config import Config

from cgc_video.errors import UserError
from cgc_video.translation.saved_config import saved_setting


def test_reads_what_mmengine_writes():
    model = dict(type="A", sizes=(3, 7), rate=1e-07, none=None, flag=True, inner=dict(list=[dict(a=-1), "b"]))
    model["not an identifier"] = {"x-y": 2}
    text = Config(dict(other=1, model=model)).pretty_text
    assert saved_setting(text, "model") == model
    assert saved_setting(text, "other") == 1


@pytest.mark.parametrize(
    "value",
    [
        "__import__('os').system('touch run')",
        "dict(a=open('x'))",
        "[print(1)]",
        "dict(**{})",
        "{**{}}",
        "dict([('a', f())])",
        "x + 1",
        "{1: f()}",
    ],
)
def test_runs_nothing(value):
    with pytest.raises(UserError, match="the config in the checkpoint cannot be read"):
        saved_setting(f"model = {value}", "model")


def test_what_is_missing_or_no_python():
    with pytest.raises(UserError, match="sets no model"):
        saved_setting("", "model")
    with pytest.raises(UserError, match="cannot be read"):
        saved_setting("model = (", "model")
