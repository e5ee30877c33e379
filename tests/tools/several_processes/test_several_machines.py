"""``NNODES``, ``NODE_RANK``, ``MASTER_ADDR``, ``MASTER_PORT``: one training on several machines.

The machines are network namespaces with addresses of their own, joined by a cable; or, always, one machine that plays both.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cgc_video.engine.processes import Machines
from cgc_video.errors import UserError


@pytest.fixture
def port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.fixture
def namespaces():
    """Two network namespaces: for each, the command that runs something there; and the address of the first."""
    names = [f"cgc{os.getpid()}{side}" for side in "ab"]
    cables = [f"c{os.getpid()}{side}" for side in "ab"]
    if shutil.which("ip") is None or subprocess.run(["ip", "netns", "add", names[0]], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here: that needs root, and `ip` (Debian: iproute2)")

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True)

    try:
        ip("netns", "add", names[1])
        ip("link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
        for number, (name, cable) in enumerate(zip(names, cables, strict=True), start=1):
            ip("link", "set", cable, "netns", name, "name", "cable")
            ip("-n", name, "addr", "add", f"10.99.0.{number}/24", "dev", "cable")
            ip("-n", name, "link", "set", "cable", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield [["ip", "netns", "exec", name] for name in names], "10.99.0.1"
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def _assert_done(tools) -> None:
    for tool in tools:
        code, error = tool.end()
        assert code == 0, error


def test_one_machine_plays_both(start, halves_and_whole, assert_trains_as_one, port, tmp_path):
    two = [
        start(
            "dist_train.sh", halves_and_whole[0], "1", "--seed", "3", "--work-dir", str(tmp_path / "two"),
            NNODES="2", NODE_RANK=str(rank), MASTER_ADDR="127.0.0.1", MASTER_PORT=port,
        )
        for rank in (1, 0)  # the first machine may be late
    ]  # fmt: skip
    _assert_done(two)
    assert_trains_as_one(tmp_path / "two")


@pytest.mark.slow
def test_two_namespaces_train_as_one_process(start, namespaces, halves_and_whole, assert_trains_as_one, tmp_path):
    commands, address = namespaces
    two = [
        start(
            "dist_train.sh", halves_and_whole[0], "1", "--seed", "3", "--work-dir", str(tmp_path / "two"), before=command,
            NNODES="2", NODE_RANK=str(rank), MASTER_ADDR=address, MASTER_PORT="29501", GLOO_SOCKET_IFNAME="cable",
        )
        for rank, command in enumerate(commands)
    ]  # fmt: skip
    _assert_done(two)
    assert_trains_as_one(tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["0", "1"])
def test_a_process_that_is_killed_ends_those_of_the_other_machine(
    start, kill, namespaces, endless, ranks, tmp_path, victim
):
    commands, address = namespaces
    two = [
        start(
            "dist_train.sh", endless, "1", "--work-dir", str(tmp_path / "work"), before=command, TEST_OF=str(tmp_path),
            NNODES="2", NODE_RANK=str(rank), MASTER_ADDR=address, MASTER_PORT="29502", GLOO_SOCKET_IFNAME="cable",
        )
        for rank, command in enumerate(commands)
    ]  # fmt: skip
    pids = ranks(*two)
    ends = kill(pids[victim], *two)
    code, error = ends[int(victim)]
    assert code == 128 + signal.SIGKILL
    assert f"error: the process of rank {victim} ended with signal 9 (SIGKILL)" in error
    code, error = ends[1 - int(victim)]
    assert code == 1
    assert "the connection to another process was lost" in error, error
    assert all("Traceback" not in error for _, error in ends)
    assert not any(Path("/proc", str(pid)).exists() for pid in pids.values())


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"NNODES": "x"}, r"NNODES \(x\) must be a whole number of at least 1"),
        ({"MASTER_PORT": "99999"}, r"MASTER_PORT \(99999\) must be at most 65535"),
        ({"NNODES": "2", "NODE_RANK": "2"}, r"NODE_RANK \(2\) must be under NNODES \(2\)"),
        ({"NNODES": "2"}, "need MASTER_ADDR"),
        (
            {"NNODES": "2", "MASTER_ADDR": "no such name"},
            r"MASTER_ADDR \(no such name\) is no name or address of a machine",
        ),
        ({"MASTER_PORT": "-1"}, r"MASTER_PORT \(-1\) must be"),
    ],
)
def test_variables_that_are_refused(variables: dict[str, str], message: str):
    with pytest.raises(UserError, match=message):
        Machines.of_environment(variables)


def test_variables():
    assert Machines.of_environment({}).port > 0
    two = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "127.0.0.1"}
    assert Machines.of_environment(two) == Machines(2, 1, "127.0.0.1", 29500)
    assert Machines.of_environment({**two, "PORT": "7"}).port == 7


@pytest.mark.parametrize("rank", [0, 1])
def test_a_machine_that_stays_alone(port, rank):
    """In processes of their own, as torch keeps its store."""
    error = _run_alone(rank, port)
    assert f"the 2 machines did not meet at 127.0.0.1:{port} within 2 s (" in error
    assert "start the same command on each, with NODE_RANK from 0 to 1" in error


def test_a_port_that_is_in_use():
    with socket.socket() as busy:
        busy.bind(("0.0.0.0", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert f"port {port} of this machine is in use; give another in MASTER_PORT" in _run_alone(0, str(port))


def _run_alone(rank: int, port: str) -> str:
    code = (
        "from cgc_video.engine.processes import Machines, run_processes\n"
        f"run_processes('script.py', [], 1, Machines(2, {rank}, '127.0.0.1', {port}), wait_seconds=2)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]
