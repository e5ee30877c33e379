"""A learning rate that no network stands, through ``tools/train.py``: one sentence with iteration, clips and rate; or skipped, by choice."""

import importlib.util
import json
import re
from pathlib import Path

import pytest


@pytest.fixture
def train(repository, mini_data, tmp_path, monkeypatch):
    """Call the tool on ``mini_data``, in a folder of its own; one epoch of the first options, without the gentle start."""
    spec = importlib.util.spec_from_file_location("cgc_tools_train_loss", repository / "tools" / "train.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mini_sth").symlink_to(mini_data)
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "wild.py"
    text = f'_base_ = "{repository}/configs/tsm_r18_cgc_mini.py"\n'
    text += 'optim_wrapper = dict(_delete_=True, optimizer=dict(type="SGD", lr=1e25))\nparam_scheduler = None\n'
    config.write_text(text)
    common = [
        "--no-validate",
        "--work-dir",
        "out",
        "--cfg-options",
        "train_dataloader.num_workers=0",
        "train_cfg.max_epochs=1",
    ]
    return lambda *options: module.main([str(config), *common, *options])


def test_it_stops_with_one_sentence(train, capsys):
    assert train() == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line]
    clip = r"data/mini_sth/videos/\d+\.mp4"
    pattern = rf"error: iteration \d+ \(epoch 1\): .*, at a learning rate of 1e\+25; its batch: ({clip}, ){{15}}{clip}; lower the .*\."
    assert re.fullmatch(pattern, line), line
    (record,) = Path("out").glob("*/bad_steps.jsonl")
    assert len(json.loads(record.read_text())["batch"]) == 16


def test_it_goes_on_by_choice_and_gives_up_in_the_end(train, capsys):
    few = "train_dataloader.batch_size=4"  # the clips are not looked at
    assert train(few, "custom_hooks.3.action=skip", "custom_hooks.3.max_in_a_row=3") == 2
    output = capsys.readouterr()
    assert "these are 3 bad steps in a row, so lower the learning rate." in output.err
    assert (output.out + output.err).count("Step skipped: iteration ") == 2
