"""``kill -9`` on ``tools/train.py`` at random moments, then ``--resume``: the weights of a run that was never interrupted, to the last bit."""

import random
import re
import signal
import time

import pytest

from cgc_video.testing.same_run import assert_same_run

KILLS = 10
# 8 batches of 16 clips in an epoch, with a checkpoint after each third of them
OPTIONS = ["train_cfg.max_epochs=6", "default_hooks.checkpoint.every_iters=3"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("processes", [1, 2])
def test_ten_kills_of_the_tool(start, mini_options, repository, tmp_path, figure, processes):
    """Two loader workers per process; all processes are killed at once."""
    tool, config, rest = repository / "tools" / "train.py", mini_options[0], mini_options[1:]
    batch = f"train_dataloader.batch_size={16 // processes}"

    def train(work_dir: str, *more: str):
        options = [*more, *rest, *OPTIONS, batch]
        options[options.index("--work-dir") + 1] = work_dir
        if processes == 1:
            return start("tools/train.py", config, "--seed", "1", *options)
        launcher = ["-m", "cgc_video.engine.processes", str(processes), str(tool)]
        return start(*launcher, config, "--launcher", "pytorch", "--seed", "1", *options)

    begun = time.monotonic()
    whole = train("whole")
    whole.wait_for("Epoch(train) [1][")
    startup = time.monotonic() - begun
    assert whole.end(seconds=1200) == 0, whole.error[-2000:]
    training = time.monotonic() - begun - startup

    killed = train("killed")
    killed.wait_until(lambda: (tmp_path / "killed" / "last_checkpoint").is_file(), 240, "first checkpoint")
    places, chance = [], random.Random()
    for number in range(KILLS):
        assert killed.end(signal.SIGKILL, group=True) != 0
        assert killed.left() == set()
        killed = train("killed", "--resume")
        if number < KILLS - 1:
            # a tenth of the training for each life, on average, from start-up on
            patience = time.monotonic() + startup * chance.uniform(0.7, 1.1) + training / KILLS * chance.uniform(0, 1.1)
            killed.wait_until(lambda: time.monotonic() > patience, 600, "the moment to kill it")  # noqa: B023
        said = re.search(r"Going on with .*iteration (\d+)", killed.out.read_text())
        places += [said[1]] if said else []
    assert killed.end(seconds=1200) == 0, killed.error[-2000:]
    places += re.findall(r"Going on with .*iteration (\d+)", killed.out.read_text())
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    gone_on = ", ".join(dict.fromkeys(places))
    figure(f"{KILLS} kills of `tools/train.py`, gone on at iterations {gone_on} of 48: equal to the last bit")
