"""Slurm's variables in torchrun's words, so that one way of starting serves both.

MMEngine's own way asks for a GPU, and gives every job the same port: two jobs on one machine would meet there.
"""

import re
import subprocess
from collections.abc import Mapping

from ..errors import UserError

__all__ = ["torchrun_variables"]

_FIRST_PORT, _PORTS = 12000, 20000  # below those that systems give to outgoing connections


def torchrun_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """``RANK``, ``LOCAL_RANK``, ``WORLD_SIZE``, ``LOCAL_WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT`` of a task that ``srun`` started.

    The port follows from the number of the job; ``MASTER_ADDR`` and ``MASTER_PORT`` stay where they are set.

    Raises:
        UserError: If this is no task of Slurm.
    """
    missing = [name for name in ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS") if name not in variables]
    if missing:
        raise UserError(
            f"--launcher slurm needs {', '.join(missing)}, which srun sets; start it with `bash tools/slurm_train.sh PARTITION JOB_NAME "
            "CONFIG`, or leave the option away for one process."
        )
    port = _FIRST_PORT + int(variables.get("SLURM_JOB_ID", 0)) % _PORTS
    return {
        "RANK": variables["SLURM_PROCID"],
        "LOCAL_RANK": variables["SLURM_LOCALID"],
        "WORLD_SIZE": variables["SLURM_NTASKS"],
        "LOCAL_WORLD_SIZE": str(_tasks_of_this_machine(variables)),
        "MASTER_ADDR": variables.get("MASTER_ADDR") or _first_machine(variables),
        "MASTER_PORT": variables.get("MASTER_PORT") or str(port),
    }


def _first_machine(variables: Mapping[str, str]) -> str:
    """The machine of rank 0; one machine needs no name, which it may not know itself by."""
    names = variables.get("SLURM_STEP_NODELIST") or variables.get("SLURM_JOB_NODELIST", "")
    if int(variables.get("SLURM_STEP_NUM_NODES") or variables.get("SLURM_JOB_NUM_NODES", 1)) == 1:
        return "127.0.0.1"
    if not re.search(r"[\[,]", names):
        return names
    command = ["scontrol", "show", "hostnames", names]  # "gpu[01-04,7]" has rules of its own
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.SubprocessError, IndexError) as error:
        raise UserError(
            f"`{' '.join(command)}` does not name the machines of this job; set MASTER_ADDR to the first of them."
        ) from error


def _tasks_of_this_machine(variables: Mapping[str, str]) -> int:
    """Of ``8(x2),4``, tasks on each machine, with how many machines in a row have as many."""
    text = (
        variables.get("SLURM_STEP_TASKS_PER_NODE") or variables.get("SLURM_TASKS_PER_NODE") or variables["SLURM_NTASKS"]
    )
    counts = []
    for count, machines in re.findall(r"(\d+)(?:\(x(\d+)\))?", text):
        counts += [int(count)] * int(machines or 1)
    return counts[int(variables.get("SLURM_NODEID", 0))]
