"""End a rank whose launcher was killed: it would train on unseen, and write into the folder of the training that resumes."""

import ctypes
import os
import signal
import sys
from collections.abc import MutableMapping

__all__ = ["name_launcher", "share_launcher_death"]

_LAUNCHER = "CGC_LAUNCHER_PID"
_PR_SET_PDEATHSIG = 1


def name_launcher(variables: MutableMapping[str, str]) -> None:
    """Tell the processes that this one starts with these variables whose death to share."""
    variables[_LAUNCHER] = str(os.getpid())


def share_launcher_death() -> None:
    """From now on this process is killed when its launcher is; ended at once where that is gone already. Linux alone can do it."""
    launcher = os.environ.get(_LAUNCHER)
    if launcher is None or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(launcher):
        raise SystemExit(128 + signal.SIGKILL)
