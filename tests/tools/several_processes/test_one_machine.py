"""``tools/dist_train.sh`` and ``dist_test.sh``: several processes of one machine, on the CPU, over gloo."""

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

_SECONDS = 240


def test_two_processes_train_as_one(start, halves_and_whole, assert_trains_as_one, tmp_path):
    """The same samples, whole batches and steps: the same losses and weights."""
    two = start("dist_train.sh", halves_and_whole[0], "2", "--seed", "3", "--work-dir", str(tmp_path / "two"))
    assert two.end()[0] == 0
    assert_trains_as_one(tmp_path / "two")
    ours, expected = (
        torch.load(tmp_path / name / "epoch_2.pth", weights_only=False)["state_dict"] for name in ("two", "one")
    )
    for name, value in expected.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-5)


_EVERY_SIZE = """
import json, os, sys
import cgc_video
from cgc_video.engine import launch
from cgc_video.engine.config import load_config, set_launcher, set_work_dir
from mmengine.dist import is_main_process

config, checkpoint, folder, most = sys.argv[1:5]
found = {}
for size in range(1, int(most) + 1):
    cfg = load_config(config, {"test_dataloader.dataset.ann_file": f"{folder}/{size}.txt"})
    set_work_dir(cfg, config, f"{folder}/work")
    set_launcher(cfg, "pytorch" if "RANK" in os.environ else "none")
    found[size] = launch.test(cfg, checkpoint).metrics
if is_main_process():
    json.dump(found, open(f"{folder}/metrics.json", "w"))
"""


def test_each_sample_counts_once_whatever_their_number(
    figure, random_weights, tiny_config, tiny_data, tmp_path, repository, monkeypatch
):
    script = tmp_path / "every_size.py"
    script.write_text(_EVERY_SIZE)
    config = tiny_config(("batch_size=3", "batch_size=2"))
    clips = (tiny_data / "list.txt").read_text().splitlines()
    (tmp_path / "classes.txt").write_text((tiny_data / "classes.txt").read_text())
    for size in range(1, len(clips) + 1):
        (tmp_path / f"{size}.txt").write_text("\n".join(clips[:size]) + "\n")
    arguments = [str(script), config, random_weights(config), str(tmp_path), str(len(clips))]

    def here() -> None:
        monkeypatch.setattr(sys, "argv", arguments)
        runpy.run_path(str(script))

    def in_two_processes() -> None:
        command = [sys.executable, "-m", "cgc_video.engine.processes", "2", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, timeout=_SECONDS, env=environment, capture_output=True)

    found = []
    for run in (here, in_two_processes):
        run()
        found.append(json.loads((tmp_path / "metrics.json").read_text()))
        (tmp_path / "metrics.json").unlink()
    assert len(found[0]) == 5
    for size, metrics in found[0].items():
        assert found[1][size] == pytest.approx(metrics), f"{size} clips"
        assert metrics["report/clips"] == int(size)
    figure("1 to 5 clips in 2 processes: the metrics of 1 process")


def test_a_process_that_fails_says_so_and_ends_the_others(start, random_weights, tiny_config, tiny_data, tmp_path):
    """The second clip is the second process's, and it is broken once the first test is done."""
    first, second = (tiny_data / "list.txt").read_text().splitlines()[:2]
    other, label = tmp_path / "second.mp4", second.split()[-1]
    other.write_bytes((tiny_data / "videos" / second.split()[0]).read_bytes())
    (tmp_path / "two.txt").write_text(f"{tiny_data / 'videos' / first}\n{other} {label}\n")
    (tmp_path / "classes.txt").write_text((tiny_data / "classes.txt").read_text())
    config = tiny_config(("VideoDataset", "ListedVideos"), ("DecordInit", "VideoOpen"), ("DecordDecode", "VideoDecode"))
    option = f"test_dataloader.dataset.ann_file={tmp_path / 'two.txt'}"
    arguments = (config, random_weights(config), "2", "--cfg-options", option)
    assert start("dist_test.sh", *arguments, "--work-dir", "out").end()[0] == 0
    assert json.loads(Path("out/eval/metrics.json").read_text())["clips"] == 2
    other.write_text("no video")
    code, error = start("dist_test.sh", *arguments).end()
    assert code == 2, error
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert "rank 1: " in lines[0]
    assert "second.mp4" in lines[0]
    assert lines[1:] == ["error: the process of rank 1 ended with exit code 2, and the others were ended."]
    assert "Traceback" not in error


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")
def test_a_process_that_is_killed_ends_the_others_within_a_minute(start, kill, endless, ranks, tmp_path):
    both = start("dist_train.sh", endless, "2", "--work-dir", str(tmp_path / "work"), TEST_OF=str(tmp_path))
    pids = ranks(both)
    ((code, error),) = kill(pids["1"], both)
    assert code == 128 + signal.SIGKILL
    assert "error: the process of rank 1 ended with signal 9 (SIGKILL), and the others were ended." in error
    assert not Path("/proc", str(pids["0"])).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone ends processes with their parent")
def test_a_launcher_that_is_killed_leaves_no_process_training_unseen(start, endless, ranks, tmp_path):
    launcher = start("dist_train.sh", endless, "2", "--work-dir", str(tmp_path / "work"), TEST_OF=str(tmp_path))
    pids = ranks(launcher)
    assert sorted(pids) == ["0", "1"]
    launcher.kill()
    patience = time.monotonic() + 30
    while any(Path("/proc", str(pid)).exists() for pid in pids.values()):
        assert time.monotonic() < patience, pids
        time.sleep(0.1)


def test_what_is_wrong_for_all_is_said_once(start, tmp_path):
    code, error = start("dist_train.sh", str(tmp_path / "none.py"), "2").end()
    assert code == 2
    lines = error.splitlines()
    assert len(lines) == 2, error
    assert "none.py) does not exist" in lines[0]


@pytest.mark.parametrize(("tool", "arguments"), [("dist_train.sh", ["a.py"]), ("dist_test.sh", ["a.py", "a.pth"])])
def test_usage(start, tool: str, arguments: list[str]):
    code, error = start(tool, *arguments).end()
    assert code == 2
    assert error.startswith(f"usage: bash tools/{tool} CONFIG")
    assert start(tool, *arguments, "0").end() == (
        2,
        "error: N, the number of processes (0), must be a whole number of at least 1; it stands behind the config and checkpoint.\n",
    )
