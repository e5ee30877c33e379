"""What stands before the script of a rank: ``rank_process.py LAUNCHER SCRIPT ARGUMENTS``, with the launcher's process number.

On Linux the rank is killed when its launcher is. It would train on unseen, and write into the folder of the training that resumes.
Nothing is imported before that is settled: PyTorch alone takes seconds.
"""

import ctypes
import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _end_with(launcher: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != launcher:  # gone already
        raise SystemExit(128 + signal.SIGKILL)


if __name__ == "__main__":
    if sys.platform == "linux":
        _end_with(int(sys.argv[1]))
    sys.argv = sys.argv[2:]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")
