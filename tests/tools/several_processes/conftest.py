"""Shell tools that start several processes, and what their trainings leave."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    collect_ignore = ["test_several_machines.py", "test_slurm.py"]  # they read /proc

_SECONDS = 240
_FROZEN = ("norm_eval=False", "norm_eval=True")  # statistics of half a batch are not those of the whole
_NO_DROPOUT = ("dropout_ratio=0.5", "dropout_ratio=0.0")
_SEEDED = ("VideoDataset", "ListedVideos")  # whose samples draw from seeds of their own


class ShellTool(subprocess.Popen):
    """A tool in a process group of its own."""

    def end(self) -> tuple[int, str]:
        """Exit code and what was said on stderr."""
        _, error = self.communicate(timeout=_SECONDS)
        return self.returncode, error


@pytest.fixture
def start(repository):
    """Start a shell tool; ``before`` is a command that runs it elsewhere. What is left of it at the end of the test is ended."""
    running: list[ShellTool] = []

    def begin(name: str, *arguments: str, before: Sequence[str] = (), **variables: str) -> ShellTool:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", **variables}
        command = [*before, "bash", str(repository / "tools" / name), *arguments]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(ShellTool(command, env=environment, start_new_session=True, **pipes))
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def halves_and_whole(tiny_config, tiny_data, tmp_path) -> tuple[str, str]:
    """Two configs: of half a batch for each of two processes, and of the whole batch for one; 4 steps each."""
    clips = (tiny_data / "list.txt").read_text().splitlines()
    (tmp_path / "eight.txt").write_text("\n".join((clips * 2)[:8]) + "\n")
    (tmp_path / "classes.txt").write_text((tiny_data / "classes.txt").read_text())
    changes = (("DATA/list.txt", str(tmp_path / "eight.txt")), ("max_epochs=1", "max_epochs=2"))
    changes += (_FROZEN, _NO_DROPOUT, _SEEDED)
    return tiny_config(*changes, name="halves"), tiny_config(*changes, ("batch_size=2", "batch_size=4"), name="whole")


@pytest.fixture
def assert_trains_as_one(start, halves_and_whole, figure, tmp_path) -> Callable[[Path], None]:
    """Train in one process (to the work dir ``one``), and hold the losses of others to it, by their work dir; their seed must be 3, too."""
    code, error = start(
        "dist_train.sh", halves_and_whole[1], "1", "--seed", "3", "--work-dir", str(tmp_path / "one")
    ).end()
    assert code == 0, error
    expected = _losses(tmp_path / "one")
    assert len(expected) == 4

    def check(work_dir: Path) -> None:
        found = _losses(work_dir)
        assert found == pytest.approx(expected, rel=1e-4)
        difference = max(abs(ours / theirs - 1) for ours, theirs in zip(found, expected, strict=True))
        figure(f"{len(found)} losses, {difference:.0e} the largest relative difference (1e-04 allowed)")

    return check


def _losses(work_dir: Path) -> list[float]:
    """Those that a training logged."""
    lines = next(work_dir.glob("*/vis_data/scalars.json")).read_text().splitlines()
    return [entry["loss"] for entry in map(json.loads, lines) if "loss" in entry]


@pytest.fixture
def kill(figure) -> Callable[..., list[tuple[int, str]]]:
    """Kill a process; exit code and stderr of the tools that it belongs to, all of which must end within a minute."""

    def end(pid: int, *tools: ShellTool) -> list[tuple[int, str]]:
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        ends = [tool.end() for tool in tools]
        seconds = time.monotonic() - killed
        assert seconds < 60
        figure(f"all ended {seconds:.0f} s after one was killed (60 allowed)")
        return ends

    return end


@pytest.fixture
def endless(tiny_config) -> str:
    """A config that trains until it is ended."""
    return tiny_config(("max_epochs=1", "max_epochs=100000"), ("val_interval=1", "val_interval=100000"))


@pytest.fixture
def ranks(tmp_path) -> Callable[[], dict[str, int]]:
    """Process numbers by rank, of the trainings that were started with ``TEST_OF`` set to the folder of the test, once one of them trains."""

    def find(*tools: ShellTool) -> dict[str, int]:
        patience = time.monotonic() + _SECONDS
        while not list((tmp_path / "work").glob("*/vis_data/scalars.json")):
            assert time.monotonic() < patience
            for tool in tools:
                assert tool.poll() is None, tool.end()[1]
            time.sleep(0.2)
        found: dict[str, int] = {}
        for entry in Path("/proc").iterdir():
            variables = _environment(entry) if entry.name.isdecimal() else {}
            if variables.get("TEST_OF") == str(tmp_path) and "--launcher" in _command(entry):
                # Slurm tells the number before a tool does
                rank = variables.get("RANK") or variables.get("SLURM_PROCID")
                if rank is not None:
                    found.setdefault(rank, int(entry.name))
        return found

    return find


def _environment(process: Path) -> dict[str, str]:
    try:
        return dict(each.split("=", 1) for each in (process / "environ").read_text().split("\0") if "=" in each)
    except OSError:
        return {}


def _command(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text().split("\0")
    except OSError:
        return []
