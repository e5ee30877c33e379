"""A file is whole or not there, whatever interrupts its writing."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from cgc_video.errors import UserError
from cgc_video.models.checkpoints import read_checkpoint, write_checkpoint, write_text

OLD, NEW = {"state_dict": {"a": torch.zeros(1000)}}, {"state_dict": {"a": torch.ones(2_000_000)}}
WRITE = """
import sys, torch
from cgc_video.errors import UserError
from cgc_video.models.checkpoints import write_checkpoint
try:
    write_checkpoint({"state_dict": {"a": torch.ones(2_000_000)}}, sys.argv[1])
except UserError as error:
    print(error)
    raise SystemExit(2)
"""


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_the_place_of_the_old_one(tmp_path):
    write_checkpoint(OLD, tmp_path / "a.pth")
    write_checkpoint(NEW, tmp_path / "a.pth")
    assert torch.equal(read_checkpoint(tmp_path / "a.pth")["state_dict"]["a"], NEW["state_dict"]["a"])
    write_text("a.pth", tmp_path / "last")
    assert (tmp_path / "last").read_text() == "a.pth"
    assert files(tmp_path) == ["a.pth", "last"]
    assert (tmp_path / "a.pth").stat().st_mode & 0o777 == 0o666 & ~_umask()  # as any file that is made here


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path):
    write_checkpoint(OLD, tmp_path / "a.pth")
    with pytest.raises(AttributeError):  # a function of a function cannot be pickled
        write_checkpoint({**NEW, "x": lambda: None}, tmp_path / "a.pth")
    assert torch.equal(read_checkpoint(tmp_path / "a.pth")["state_dict"]["a"], OLD["state_dict"]["a"])
    assert files(tmp_path) == ["a.pth"]


def test_a_limit_of_the_system(tmp_path):
    """RLIMIT_FSIZE is the quota that every user can set: writing beyond it fails in the kernel, as on a full disk."""
    write_checkpoint(OLD, tmp_path / "a.pth")
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
            write_checkpoint(NEW, tmp_path / "a.pth")
        except UserError as error:
            (tmp_path / "said").write_text(str(error))
        finally:  # whatever is raised, this process is not to go on as a second pytest
            os._exit(0)
    os.waitpid(child, 0)
    said = (tmp_path / "said").read_text()
    assert "a.pth could not be written: File too large (" in said
    assert "what was there before stands: make room, then go on with --resume." in said
    assert torch.equal(read_checkpoint(tmp_path / "a.pth")["state_dict"]["a"], OLD["state_dict"]["a"])
    assert files(tmp_path) == ["a.pth", "said"]


def _mounts() -> bool:
    """Whether this user may mount a file system in a name space of its own."""
    command = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs none /mnt"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


def test_a_full_disk(tmp_path):
    if not _mounts():
        pytest.skip("mounting a small tmpfs is not allowed here; test_a_limit_of_the_system stands in")
    disk = tmp_path / "disk"
    disk.mkdir()
    write_checkpoint(OLD, tmp_path / "old.pth")
    script = (
        f"mount -t tmpfs -o size=2m none {disk} && cp {tmp_path}/old.pth {disk}/a.pth && {{ {sys.executable} -c '{WRITE}' {disk}/a.pth; "
        f"echo code $?; ls -A {disk}; cmp {disk}/a.pth {tmp_path}/old.pth && echo as before; }}"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    assert "a.pth could not be written: No space left on device (" in done.stdout, done.stderr
    assert done.stdout.endswith("code 2\na.pth\nas before\n"), done.stdout


def test_killed_while_writing(tmp_path):
    """A writer that is killed again and again leaves the old file or the new one, whole."""
    path = tmp_path / "a.pth"
    write_checkpoint(OLD, path)
    seen = set()
    for round_ in range(12):
        child = os.fork()
        if child == 0:
            try:
                while True:
                    write_checkpoint(NEW, path)
                    write_checkpoint(OLD, path)
            finally:
                os._exit(1)
        time.sleep(0.01 + 0.007 * round_)
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL  # it was writing until then
        seen.add(len(read_checkpoint(path)["state_dict"]["a"]))
        assert set(files(tmp_path)) <= {"a.pth", ".a.pth.tmp"}
    assert seen <= {1000, 2_000_000}
    write_checkpoint(OLD, path)
    assert files(tmp_path) == ["a.pth"]
