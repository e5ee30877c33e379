"""Look at processes from outside: their memory, their open files, and whether they are gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

if sys.platform != "linux":
    collect_ignore_glob = ["test_soak_*", "test_fault_*", "test_kill_*"]  # they read /proc


@dataclass(frozen=True)
class Seen:
    """A process at one moment: when it was started tells it from a later one of the same number."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Seen | None":
        fields = _stat(pid)
        return None if fields is None or fields[0] in "ZX" else cls(pid, fields[19])

    @property
    def lives(self) -> bool:
        return Seen.of(self.pid) == self


def _stat(pid: int) -> list[str] | None:
    """What ``/proc`` says of a process behind its name: state, parent, ...; field 19 is its start."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def descendants(pid: int) -> list[int]:
    """The processes below one, itself first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) is not None:
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def resident_bytes(pid: int) -> int:
    """Memory that a process holds for itself: what it shares with its parent, or maps of files, is left out."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")


def open_files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


class Run:
    """A tool in a process group of its own, and the processes that it was seen to have."""

    def __init__(self, repository: Path, folder: Path, argv: list[str]) -> None:
        self.out = folder / "output.txt"
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        with self.out.open("w") as out, (folder / "error.txt").open("w") as err:
            command = [sys.executable, *(argv if argv[0] == "-m" else [str(repository / argv[0]), *argv[1:]])]
            self.process = subprocess.Popen(
                command, stdout=out, stderr=err, cwd=folder, env=env, start_new_session=True
            )
        self.error_file, self.seen = folder / "error.txt", set[Seen]()

    def wait_for(self, text: str, seconds: float = 240.0) -> None:
        """Wait until the tool has printed something, looking at its processes meanwhile."""
        self.wait_until(lambda: text in self.out.read_text(), seconds, repr(text))

    def wait_until(self, true: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, f"it ended before {what}: {self.error_file.read_text()[-2000:]}"
            assert time.monotonic() < end, f"no {what} within {seconds:g} s"
            self.look()
            time.sleep(0.05)
        self.look()

    def look(self) -> list[int]:
        pids = descendants(self.process.pid)
        self.seen |= {seen for pid in pids if (seen := Seen.of(pid)) is not None}
        return pids

    def end(self, number: signal.Signals | None = None, group: bool = False, seconds: float = 60.0) -> int:
        """Send a signal, if any; returns the exit code."""
        if number is not None:
            (os.killpg if group else os.kill)(self.process.pid, number)
        return self.process.wait(seconds)

    def left(self, seconds: float = 15.0) -> set[Seen]:
        """The processes that still live so many seconds after the end."""
        end = time.monotonic() + seconds
        while (alive := {seen for seen in self.seen if seen.lives}) and time.monotonic() < end:
            time.sleep(0.1)
        return alive

    @property
    def error(self) -> str:
        return self.error_file.read_text()


@pytest.fixture
def start(repository, tmp_path):
    """Start a tool, ``start("tools/train.py", "config.py", ...)``, or a module (``"-m"``); whatever is left of it is killed behind the test."""
    runs: list[Run] = []

    def begin(*argv: str) -> Run:
        runs.append(Run(repository, tmp_path, list(argv)))
        return runs[-1]

    yield begin
    for run in runs:
        for seen in run.seen:
            if seen.lives:
                os.kill(seen.pid, signal.SIGKILL)
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()


@pytest.fixture
def probes():
    """``(resident_bytes, open_files)`` of a process by its number."""
    return resident_bytes, open_files


@pytest.fixture(scope="session")
def mini_data(tmp_path_factory) -> Path:
    """A small rendering of the mini data set: 120 training and 8 validation clips. Read only."""
    from cgc_video.datasets.mini_sth.build import build_mini
    from cgc_video.datasets.mini_sth.layout import MiniArguments

    folder = tmp_path_factory.mktemp("mini") / "mini_sth"
    build_mini(folder, MiniArguments(train=120, val=8, size=64, frames=12), workers=2)
    return folder


@pytest.fixture
def mini_options(mini_data, repository) -> list[str]:
    """A config and the options by which it trains on ``mini_data``, without validation, a line per iteration."""
    splits = [f"{split}_dataloader.dataset" for split in ("train", "val", "test")]
    lists = [
        f"{way}.ann_file={mini_data}/{name}_list.txt" for way, name in zip(splits, ("train", "val", "val"), strict=True)
    ]
    media = [f"{way}.data_prefix.video={mini_data}/videos" for way in splits]
    options = ["default_hooks.logger.interval=1", "train_dataloader.num_workers=2", *lists, *media]
    return [
        str(repository / "configs" / "tsm_r18_cgc_mini.py"),
        "--no-validate",
        "--work-dir",
        "out",
        "--cfg-options",
        *options,
    ]
