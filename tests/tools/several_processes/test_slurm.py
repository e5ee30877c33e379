"""``tools/slurm_train.sh`` and ``--launcher slurm``: what is asked of ``srun``, and a training by a Slurm that the test starts, where it is installed."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from cgc_video.engine.slurm import torchrun_variables
from cgc_video.errors import UserError


@pytest.fixture
def stand_in(tmp_path) -> str:
    """A ``PATH`` with an ``srun`` that says its arguments."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("bash", "dirname"):
        (folder / tool).symlink_to(shutil.which(tool))
    (folder / "srun").write_text('#!/bin/sh\necho "$@" >&2\n')
    (folder / "srun").chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({"GPUS": "16"}, "--gres=gpu:8 --ntasks=16 --ntasks-per-node=8 --cpus-per-task=5 --kill-on-bad-exit=1 python"),
        ({"GPUS": "2", "GRES": "gpu:a100:2"}, "--gres=gpu:a100:2 --ntasks=2 --ntasks-per-node=2 "),
        ({"GPUS": "4", "GRES": "", "CPUS_PER_TASK": "1"}, "--job-name=j --ntasks=4 --ntasks-per-node=4 --cpus-per-task=1 "),
        ({"SRUN_ARGS": "--time=1 --mem=8G"}, "--ntasks=8 --ntasks-per-node=8 --cpus-per-task=5 --kill-on-bad-exit=1 --time=1 --mem=8G python"),
    ],
    ids=["two-machines", "kind-of-gpu", "no-gpu", "more"],
)  # fmt: skip
def test_what_is_asked_of_srun(start, stand_in, variables, asked):
    code, said = start("slurm_train.sh", "p", "j", "a.py", "--seed", "1", **{"PATH": stand_in, **variables}).end()
    assert code == 0
    assert said.startswith("-p p --job-name=j ")
    assert asked in said
    assert said.endswith("tools/train.py a.py --launcher slurm --seed 1\n")


def test_what_is_refused(start, stand_in):
    code, error = start("slurm_train.sh", "partition", "job").end()
    assert code == 2
    assert error.startswith("usage: bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG")
    code, error = start("slurm_train.sh", "p", "j", "a.py", PATH=stand_in, GPUS="four").end()
    assert (code, error) == (2, "error: GPUS (four) must be a whole number of at least 1.\n")
    (Path(stand_in) / "srun").unlink()
    code, error = start("slurm_train.sh", "p", "j", "a.py", PATH=stand_in).end()
    assert (code, error) == (2, "error: srun is not here; run this where Slurm's commands are.\n")


TASK = {"SLURM_PROCID": "9", "SLURM_LOCALID": "1", "SLURM_NTASKS": "10", "SLURM_JOB_ID": "1234567", "SLURM_NODEID": "1"}


def test_variables_of_a_task():
    found = torchrun_variables({**TASK, "SLURM_STEP_TASKS_PER_NODE": "8,2", "SLURM_STEP_NODELIST": "gpu01"})
    assert found == {
        "RANK": "9",
        "LOCAL_RANK": "1",
        "WORLD_SIZE": "10",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "26567",
    }
    own = {"MASTER_ADDR": "first", "MASTER_PORT": "7", "SLURM_TASKS_PER_NODE": "8(x2)"}
    found = torchrun_variables({**TASK, **own})
    assert (found["MASTER_ADDR"], found["MASTER_PORT"], found["LOCAL_WORLD_SIZE"]) == ("first", "7", "8")


def test_the_first_machine(tmp_path, monkeypatch):
    several = {**TASK, "SLURM_TASKS_PER_NODE": "5(x2)", "SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_NODELIST": "gpu[01-02]"}
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"`scontrol show hostnames gpu\[01-02\]` does not name .* set MASTER_ADDR"):
        torchrun_variables(several)
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho gpu01\necho gpu02\n")
    (tmp_path / "scontrol").chmod(0o755)
    assert torchrun_variables(several)["MASTER_ADDR"] == "gpu01"


def test_outside_slurm():
    with pytest.raises(
        UserError, match="--launcher slurm needs SLURM_PROCID, SLURM_LOCALID, SLURM_NTASKS, which srun sets"
    ):
        torchrun_variables({})


CONFIGURATION = """
ClusterName=test
SlurmctldHost={name}(127.0.0.1)
SlurmctldPort={control}
SlurmdPort={machine}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
GresTypes=gpu
NodeName={name} NodeAddr=127.0.0.1 CPUs={cores} Gres=gpu:2 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A Slurm of this machine alone, with two files for GPUs; gives the variables of its commands. The partition is ``test``."""
    daemons = ("munged", "slurmctld", "slurmd")
    if os.geteuid() or any(shutil.which(name) is None for name in (*daemons, "srun")):
        pytest.skip("Slurm is not installed (Debian: slurm-wlm, munge), or this is not root")
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    for name in ("gpu0", "gpu1"):
        (folder / name).touch()
    control, machine = _free_ports(2)
    name, cores = socket.gethostname(), len(os.sched_getaffinity(0))
    text = CONFIGURATION.format(name=name, cores=cores, folder=folder, control=control, machine=machine)
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text(f"NodeName={name} Name=gpu File={folder}/gpu[0-1]\n")
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    files = [f"--{kind}={folder}/munge{end}" for kind, end in (("key-file", ".key"), ("socket", ".sock"), ("pid-file", ".pid"),
             ("seed-file", ".seed"))]  # fmt: skip
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    commands = [["munged", "--foreground", "--force", *files], ["slurmctld", "-D"], ["slurmd", "-D"]]
    with (folder / "log.txt").open("w") as log:
        running = [subprocess.Popen(command, env=environment, stdout=log, stderr=log) for command in commands]
        try:
            _wait_for("idle", environment)
            yield {"SLURM_CONF": environment["SLURM_CONF"], "CPUS_PER_TASK": "1", "GPUS": "2"}
            _wait_for("idle", environment)  # a daemon that is asked to end waits for its steps
        finally:
            for daemon in reversed(running):
                daemon.terminate()
                try:
                    daemon.wait(5)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()


def _wait_for(state: str, environment: dict[str, str]) -> None:
    command = ["timeout", "5", "sinfo", "--noheader", "--format=%t"]
    patience, found = time.monotonic() + 60, ""
    while found != state:
        assert time.monotonic() < patience, found
        time.sleep(0.5)
        found = subprocess.run(command, env=environment, capture_output=True, text=True).stdout.strip()


@pytest.mark.slow
def test_two_tasks_train_as_one_process(start, slurm, halves_and_whole, assert_trains_as_one, tmp_path):
    work = str(tmp_path / "two")
    code, error = start(
        "slurm_train.sh", "test", "job", halves_and_whole[0], "--seed", "3", "--work-dir", work, **slurm
    ).end()
    assert code == 0, error
    assert_trains_as_one(tmp_path / "two")


@pytest.mark.slow
def test_what_is_wrong_for_all_tasks_is_said_once(start, slurm, tmp_path):
    """Of the exit codes of a job, ``srun`` gives the largest: that of a task which it ended."""
    code, error = start("slurm_train.sh", "test", "job", str(tmp_path / "none.py"), **slurm).end()
    assert code in (2, 128 + signal.SIGTERM)
    said = [line for line in error.splitlines() if line.startswith("error: ")]
    assert len(said) == 1, error
    assert "none.py) does not exist" in said[0]
    assert "Traceback" not in error


@pytest.mark.slow
def test_a_task_that_is_killed_ends_the_others_within_a_minute(start, kill, slurm, endless, ranks, tmp_path):
    work = str(tmp_path / "work")
    both = start("slurm_train.sh", "test", "job", endless, "--work-dir", work, **slurm, TEST_OF=str(tmp_path))
    pids = ranks(both)
    assert sorted(pids) == ["0", "1"]
    ((code, error),) = kill(pids["1"], both)
    assert code
    assert "task 1: Killed" in error  # in Slurm's words
    assert "Traceback" not in error
    assert not any(Path("/proc", str(pid)).exists() for pid in pids.values())
