"""``tools/dist_train.sh``, ``dist_test.sh`` and ``slurm_train.sh``: several processes on the CPU, over gloo."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from cgc_video.engine.processes import Machines
from cgc_video.errors import UserError

FROZEN = ("norm_eval=False", "norm_eval=True")  # statistics of half a batch are not those of the whole
NO_DROPOUT = ("dropout_ratio=0.5", "dropout_ratio=0.0")
SEEDED = ("VideoDataset", "ListedVideos")  # whose samples draw from seeds of their own
_SECONDS = 240


@pytest.fixture
def start(repository):
    """Start a shell tool; what is left of it at the end of the test is ended."""
    running: list[subprocess.Popen] = []

    def begin(name: str, *arguments: str, **variables: str) -> subprocess.Popen:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", **variables}
        command = ["bash", str(repository / "tools" / name), *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, env=environment, start_new_session=True, **pipes))
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def end(process: subprocess.Popen) -> tuple[int, str]:
    """Exit code and what was said on stderr."""
    _, error = process.communicate(timeout=_SECONDS)
    return process.returncode, error


def losses(work_dir: Path) -> list[float]:
    lines = next(work_dir.glob("*/vis_data/scalars.json")).read_text().splitlines()
    return [entry["loss"] for entry in map(json.loads, lines) if "loss" in entry]


def test_two_processes_train_as_one(start, tiny_config, tiny_data, tmp_path):
    """The same samples, whole batches and steps: the same losses and weights."""
    clips = (tiny_data / "list.txt").read_text().splitlines()
    (tmp_path / "eight.txt").write_text("\n".join((clips * 2)[:8]) + "\n")
    (tmp_path / "classes.txt").write_text((tiny_data / "classes.txt").read_text())
    several = (
        ("DATA/list.txt", str(tmp_path / "eight.txt")),
        ("max_epochs=1", "max_epochs=2"),
        FROZEN,
        NO_DROPOUT,
        SEEDED,
    )
    halves = tiny_config(*several, name="halves")
    whole = tiny_config(*several, ("batch_size=2", "batch_size=4"), name="whole")
    two = start("dist_train.sh", halves, "2", "--seed", "3", "--work-dir", str(tmp_path / "two"))
    assert end(two)[0] == 0
    one = start("dist_train.sh", whole, "1", "--seed", "3", "--work-dir", str(tmp_path / "one"))
    assert end(one)[0] == 0
    ours, expected = losses(tmp_path / "two"), losses(tmp_path / "one")
    assert len(ours) == len(expected) == 4
    assert ours == pytest.approx(expected, rel=1e-4)
    ours, expected = (
        torch.load(tmp_path / name / "epoch_2.pth", weights_only=False)["state_dict"] for name in ("two", "one")
    )
    for name, value in expected.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-5)


_EVERY_SIZE = """
import json, sys
import cgc_video
from cgc_video.engine import launch
from cgc_video.engine.config import load_config, set_launcher, set_work_dir
from mmengine.dist import is_main_process

config, checkpoint, folder, most = sys.argv[1:5]
found = {}
for size in range(1, int(most) + 1):
    cfg = load_config(config, {"test_dataloader.dataset.ann_file": f"{folder}/{size}.txt"})
    set_work_dir(cfg, config, f"{folder}/work")
    set_launcher(cfg, "pytorch")
    found[size] = launch.test(cfg, checkpoint).metrics
if is_main_process():
    json.dump(found, open(f"{folder}/metrics.json", "w"))
"""


def test_each_sample_counts_once_whatever_their_number(start, tiny_config, tiny_data, tmp_path, repository):
    from mmaction.registry import MODELS
    from mmengine.registry import DefaultScope

    from cgc_video.engine.config import load_config

    config = tiny_config(("batch_size=3", "batch_size=2"))
    with DefaultScope.overwrite_default_scope("mmaction"):
        state = MODELS.build(load_config(config, {}).model).state_dict()
    torch.save({"state_dict": state}, tmp_path / "model.pth")
    (tmp_path / "every_size.py").write_text(_EVERY_SIZE)
    clips = (tiny_data / "list.txt").read_text().splitlines()
    found = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        (folder / "classes.txt").write_text((tiny_data / "classes.txt").read_text())
        for size in range(1, len(clips) + 1):
            (folder / f"{size}.txt").write_text("\n".join(clips[:size]) + "\n")
        command = [sys.executable, "-m", "cgc_video.engine.processes", str(processes), str(tmp_path / "every_size.py")]
        arguments = [config, str(tmp_path / "model.pth"), str(folder), str(len(clips))]
        environment = {**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"}
        subprocess.run([*command, *arguments], check=True, timeout=_SECONDS, env=environment, capture_output=True)
        found[processes] = json.loads((folder / "metrics.json").read_text())
    assert len(found[1]) == 5
    for size, metrics in found[1].items():
        assert found[2][size] == pytest.approx(metrics), f"{size} clips"
        assert metrics["report/clips"] == int(size)


def test_a_process_that_fails_says_so_and_ends_the_others(start, tiny_config, tiny_data, tmp_path):
    """The second clip is the second process's, and it is broken."""
    (tmp_path / "broken.mp4").write_text("no video")
    first = (tiny_data / "list.txt").read_text().splitlines()[0]
    (tmp_path / "two.txt").write_text(f"{tiny_data / 'videos' / first}\n{tmp_path / 'broken.mp4'} 1\n")
    (tmp_path / "classes.txt").write_text((tiny_data / "classes.txt").read_text())
    config = tiny_config(SEEDED, ("DecordInit", "VideoOpen"), ("DecordDecode", "VideoDecode"))
    assert end(start("dist_train.sh", config, "1", "--work-dir", str(tmp_path / "work")))[0] == 0
    checkpoint = next((tmp_path / "work").glob("epoch_1.pth"))
    option = f"test_dataloader.dataset.ann_file={tmp_path / 'two.txt'}"
    code, error = end(start("dist_test.sh", config, str(checkpoint), "2", "--cfg-options", option))
    assert code == 2, error
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert "rank 1: " in lines[0]
    assert "broken.mp4" in lines[0]
    assert lines[1:] == ["error: the process of rank 1 ended with exit code 2, and the others were ended."]
    assert "Traceback" not in error


def rank_of(process: Path) -> str | None:
    try:
        variables = dict(each.split("=", 1) for each in (process / "environ").read_text().split("\0") if "=" in each)
    except OSError:
        return None
    return variables.get("RANK")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")
def test_a_process_that_is_killed_ends_the_others_within_a_minute(start, tiny_config, tmp_path):
    config = tiny_config(("max_epochs=1", "max_epochs=100000"), ("val_interval=1", "val_interval=100000"))
    both = start("dist_train.sh", config, "2", "--work-dir", str(tmp_path / "work"), TEST_OF=str(tmp_path))
    patience = time.monotonic() + _SECONDS
    while not list((tmp_path / "work").glob("*/vis_data/scalars.json")):  # it trains
        assert time.monotonic() < patience
        assert both.poll() is None
        time.sleep(0.2)
    ranks = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (rank := rank_of(entry)) is not None:
            environment = (entry / "environ").read_text()
            if f"TEST_OF={tmp_path}" in environment:
                ranks.setdefault(rank, int(entry.name))
    os.kill(ranks["1"], signal.SIGKILL)
    killed = time.monotonic()
    code, error = end(both)
    assert time.monotonic() - killed < 60
    assert code == 128 + signal.SIGKILL
    assert "error: the process of rank 1 ended with signal 9 (SIGKILL), and the others were ended." in error
    assert not Path("/proc", str(ranks["0"])).exists()


def test_what_is_wrong_for_all_is_said_once(start, tmp_path):
    code, error = end(start("dist_train.sh", str(tmp_path / "none.py"), "2"))
    assert code == 2
    lines = error.splitlines()
    assert len(lines) == 2, error
    assert "none.py) does not exist" in lines[0]


@pytest.mark.parametrize(("tool", "arguments"), [("dist_train.sh", ["a.py"]), ("dist_test.sh", ["a.py", "a.pth"])])
def test_usage(start, tool: str, arguments: list[str]):
    code, error = end(start(tool, *arguments))
    assert code == 2
    assert error.startswith(f"usage: bash tools/{tool} CONFIG")
    assert end(start(tool, *arguments, "0")) == (2, "error: the number of processes (0) must be at least 1.\n")


def test_slurm(start, tmp_path):
    """What is asked of ``srun``, by a stand-in that says its arguments: Slurm itself is not here."""
    code, error = end(start("slurm_train.sh", "partition", "job"))
    assert code == 2
    assert error.startswith("usage: bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG")
    tools = "/usr/bin:/bin"
    assert end(start("slurm_train.sh", "p", "j", "a.py", PATH=tools))[1].startswith("error: srun is not here")
    stand_in = tmp_path / "srun"
    stand_in.write_text('#!/bin/sh\necho "$@" >&2\n')
    stand_in.chmod(0o755)
    variables = {"PATH": f"{tmp_path}:{tools}", "GPUS": "16", "SRUN_ARGS": "--time=1"}
    code, said = end(start("slurm_train.sh", "p", "j", "a.py", "--seed", "1", **variables))
    assert code == 0
    assert (
        "-p p --job-name=j --gres=gpu:8 --ntasks=16 --ntasks-per-node=8 --cpus-per-task=5 --kill-on-bad-exit=1 --time=1 python -u"
        in said
    )
    assert said.endswith("tools/train.py a.py --launcher slurm --seed 1\n")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"NNODES": "x"}, r"NNODES \(x\) must be a whole number of at least 1"),
        ({"NNODES": "2", "NODE_RANK": "2"}, r"NODE_RANK \(2\) must be under NNODES \(2\)"),
        ({"NNODES": "2"}, "need MASTER_ADDR"),
        ({"MASTER_PORT": "-1"}, r"MASTER_PORT \(-1\) must be"),
    ],
)
def test_variables_of_several_machines(variables: dict[str, str], message: str):
    with pytest.raises(UserError, match=message):
        Machines.of_environment(variables)


def test_machines():
    assert Machines.of_environment({}).port > 0
    two = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "first"}
    assert Machines.of_environment(two) == Machines(2, 1, "first", 29500)
    assert Machines.of_environment({**two, "PORT": "7"}).port == 7
