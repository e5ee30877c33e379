"""The digits: made by their tool, learned by both configs on a shortened schedule."""

import importlib.util
import json
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

TOOLS = Path(__file__).parents[2] / "tools"


def run(name: str, *argv: str) -> int:
    spec = importlib.util.spec_from_file_location(f"cgc_tools_digits_{name.replace('/', '_')}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(list(argv))


def test_the_tool(capsys):
    assert run("data/make_digits", "--output", "made") == 0
    assert capsys.readouterr().out == "Wrote 1438 training and 359 validation images of 10 digits to made.\n"
    assert run("data/make_digits", "--output", "made") == 2
    assert "replace both with --force" in capsys.readouterr().err
    assert run("data/make_digits", "--output", "made", "--force", "--val-share", "0.5", "--seed", "3") == 0


@pytest.mark.parametrize("name", ["resnet20_digits", "resnet20_cgc_digits"])
def test_a_shortened_schedule_learns_most_of_it(repository, name, capsys):
    """4 of 8 epochs; all of them reach 97 % and more."""
    assert run("data/make_digits") == 0
    config = str(repository / "configs" / f"{name}.py")
    schedule = ["train_cfg.max_epochs=4", "param_scheduler.1.end=4", "train_cfg.val_interval=4"]
    assert run("train", config, "--seed", "0", "--work-dir", "out", "--cfg-options", *schedule) == 0
    assert "1,438 training images, 359 validation images, 10 classes" in capsys.readouterr().out
    assert run("test", config, "out/epoch_4.pth", "--work-dir", "out") == 0
    assert json.loads(Path("out/eval/metrics.json").read_text())["metrics"]["acc/top1"] > 0.9
