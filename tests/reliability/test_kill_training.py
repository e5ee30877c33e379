"""``kill -9`` on ``tools/train.py`` at random moments, then ``--resume``: the weights of a run that was never interrupted, to the last bit."""

import random
import re
import signal
import time
from pathlib import Path

import pytest

from cgc_video.testing.same_run import assert_same_run

KILLS = 10
# 8 batches of 16 clips in an epoch, with a checkpoint after each third of them
ITERATIONS = 48
OPTIONS = ["train_cfg.max_epochs=6", "default_hooks.checkpoint.every_iters=3", "default_hooks.logger.interval=1"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("processes", [1, 2])
def test_ten_kills_of_the_tool(start, mini_options, repository, tmp_path, figure, processes):
    """Two loader workers per process; the launcher is killed, and what it started has to end with it."""
    tool, config, rest = repository / "tools" / "train.py", mini_options[0], mini_options[1:]
    batch = f"train_dataloader.batch_size={16 // processes}"

    def train(work_dir: str, *more: str):
        options = [*more, *rest, *OPTIONS, batch]
        options[options.index("--work-dir") + 1] = work_dir
        if processes == 1:
            return start("tools/train.py", config, "--seed", "1", *options)
        launcher = ["-m", "cgc_video.engine.processes", str(processes), str(tool)]
        return start(*launcher, config, "--launcher", "pytorch", "--seed", "1", *options)

    whole = train("whole")
    assert whole.end(seconds=1200) == 0, whole.error[-2000:]

    killed = train("killed")
    killed.wait_until(lambda: (tmp_path / "killed" / "last_checkpoint").is_file(), 240, "first checkpoint")
    places, chance = [], random.Random()
    for number in range(KILLS):
        assert killed.end(signal.SIGKILL) != 0
        assert killed.left() == set()
        killed = train("killed", "--resume")
        if number == KILLS - 1:
            break
        # anywhere in its share of the training: as it trains, validates or saves
        iteration = chance.uniform(number, number + 1) * ITERATIONS / (KILLS + 2)
        killed.wait_until(lambda: _iteration(killed.out) >= iteration, 600, f"iteration {iteration:.0f}")  # noqa: B023
        time.sleep(chance.uniform(0, 1))
        places.append(_begun_at(killed.out))
    assert killed.end(seconds=1200) == 0, killed.error[-2000:]
    places.append(_begun_at(killed.out))
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    gone_on = ", ".join(places)
    figure(f"{KILLS} kills of `tools/train.py`, gone on at iterations {gone_on} of {ITERATIONS}: equal to the last bit")


def _iteration(output: Path) -> int:
    """The last one that a training logged."""
    found = re.findall(r"Epoch\(train\) +\[(\d+)\]\[ *(\d+)/(\d+)\]", output.read_text())
    return max(((int(epoch) - 1) * int(length) + int(batch) for epoch, batch, length in found), default=0)


def _begun_at(output: Path) -> str:
    validation, iteration = re.search(
        r"Going on with (?:(the validation of epoch \d+)|.*iteration (\d+))", output.read_text()
    ).groups()
    return iteration or validation
