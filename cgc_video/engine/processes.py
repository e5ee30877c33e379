"""Start the processes of one machine, a rank each, as torchrun does; and say in one line which of them failed.

``python -m cgc_video.engine.processes N SCRIPT ARGUMENTS`` is what ``tools/dist_train.sh`` and ``tools/dist_test.sh`` run. Several
machines are told by the variables that torchrun's users know: ``NNODES``, ``NODE_RANK``, ``MASTER_ADDR`` and ``MASTER_PORT`` (or
MMAction2's ``PORT``).
"""

import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from ..errors import UserError
from .cli import complain, run_tool

__all__ = ["Machines", "run_processes"]

_PORT = 29500  # of several machines, which have to agree on it
_LARGEST_PORT = 65535
_WAIT_SECONDS = 900  # until all machines must have been started
_RANK_PROCESS = str(Path(__file__).with_name("rank_process.py"))
_ConnectionFault = getattr(torch.distributed, "DistError", RuntimeError)


@dataclass(frozen=True)
class Machines:
    """How many machines there are, which of them this is, and where the first of them listens."""

    count: int = 1
    rank: int = 0
    address: str = "127.0.0.1"
    port: int = 0

    @classmethod
    def of_environment(cls, variables: Mapping[str, str]) -> "Machines":
        """Read ``NNODES``, ``NODE_RANK``, ``MASTER_ADDR`` and ``MASTER_PORT``; one machine needs none of them.

        Raises:
            UserError: If a value is no number or out of its range, or several machines have no ``MASTER_ADDR``.
        """
        count = _number(variables, "NNODES", 1, 1)
        rank = _number(variables, "NODE_RANK", 0, 0)
        if rank >= count:
            raise UserError(f"NODE_RANK ({rank}) must be under NNODES ({count}); machines count from 0.")
        port = _number(variables, "MASTER_PORT" if "MASTER_PORT" in variables else "PORT", 0, 0, _LARGEST_PORT)
        if count == 1:
            return cls(port=port or _free_port())
        if not variables.get("MASTER_ADDR"):
            raise UserError(f"{count} machines (NNODES) need MASTER_ADDR, the address of the one with NODE_RANK=0.")
        address = variables["MASTER_ADDR"]
        try:
            socket.getaddrinfo(address, None)
        except OSError as error:
            raise UserError(
                f"MASTER_ADDR ({address}) is no name or address of a machine; give that of the one with NODE_RANK=0."
            ) from error
        return cls(count, rank, address, port or _PORT)

    @property
    def endpoint(self) -> str:
        return f"{self.address}:{self.port}"


def _number(variables: Mapping[str, str], name: str, default: int, least: int, most: int | None = None) -> int:
    text = variables.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < least:
        raise UserError(f"{name} ({text}) must be a whole number of at least {least}.")
    if most is not None and int(text) > most:
        raise UserError(f"{name} ({text}) must be at most {most}.")
    return int(text)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def run_processes(
    script: str,
    arguments: Sequence[str],
    count: int,
    machines: Machines | None = None,
    wait_seconds: int = _WAIT_SECONDS,
) -> int:
    """Run a script in ``count`` processes. When one fails, the others are ended.

    Args:
        wait_seconds: How long to wait for the other machines.
    Returns:
        0, or the exit code of the process that failed first (128 + N for signal N).
    Raises:
        UserError: If the machines do not find each other.
    """
    machines = machines or Machines.of_environment({})
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # pages on what one line says here
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as torchrun, without its warning
    config = LaunchConfig(
        min_nodes=machines.count,
        max_nodes=machines.count,
        nproc_per_node=count,
        run_id="cgc_video",
        rdzv_backend="static",
        rdzv_endpoint=machines.endpoint,
        rdzv_configs={"rank": machines.rank, "timeout": wait_seconds},
        max_restarts=0,
    )
    if machines.count > 1:
        print(f"Machine {machines.rank + 1} of {machines.count}; they meet at {machines.endpoint}.", flush=True)
    try:
        elastic_launch(config, sys.executable)("-u", _RANK_PROCESS, str(os.getpid()), script, *arguments)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        code = failure.exitcode
        how = f"exit code {code}" if code >= 0 else f"signal {-code} ({failure.signal_name()})"
        return complain(
            f"the process of rank {rank} ended with {how}, and the others were ended.",
            code if code >= 0 else 128 - code,
        )
    except SignalException as signalled:
        return complain("interrupted.", 128 + int(signalled.sigval))
    except _ConnectionFault as error:
        raise UserError(_no_meeting(error, machines, wait_seconds)) from error
    return 0


def _no_meeting(error: RuntimeError, machines: Machines, wait_seconds: int) -> str:
    if "EADDRINUSE" in str(error):
        return f"port {machines.port} of this machine is in use; give another in MASTER_PORT, on every machine."
    reason = str(error).partition("\n")[0].rstrip(". ")
    return (
        f"the {machines.count} machines did not meet at {machines.endpoint} within {wait_seconds} s ({reason}); start the same command on each, "
        f"with NODE_RANK from 0 to {machines.count - 1}, and see that the first can be reached there."
    )


@run_tool
def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) < 2 or not arguments[0].isdecimal() or int(arguments[0]) < 1:
        given = arguments[0] if arguments else ""
        raise UserError(
            f"N, the number of processes ({given}), must be a whole number of at least 1; it stands behind the config and checkpoint."
        )
    return run_processes(arguments[1], arguments[2:], int(arguments[0]), Machines.of_environment(os.environ))


if __name__ == "__main__":
    raise SystemExit(main())
