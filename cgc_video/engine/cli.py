"""What the command line tools share: common options, and errors a user can mend as one line instead of a traceback."""

import argparse
import errno
import functools
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable

from ..errors import UserError
from .guards.overrides import OptionAction

__all__ = ["add_common_options", "complain", "run_tool"]

# A full disk, a read-only or forbidden path, a missing path, a path of the wrong kind: the user's to mend.
_USER_ERRNOS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EEXIST,
    errno.EPERM,
    errno.EROFS,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
}
_FIRST_RANK_SECONDS = 3.0
# what gloo, NCCL and torch's store say when a process at the other end has gone
_LOST_CONNECTION = re.compile(
    r"connection (closed|reset) by peer|broken pipe|timed out waiting|remote process exited|connection was aborted|failed to recv",
    re.I,
)


def run_tool(main: Callable[..., int | None]) -> Callable[..., int]:
    """Decorate a tool's ``main``: a ``UserError`` or a file problem is one line on stderr and exit code 2.

    Ctrl-C gives 130. Any other exception is a defect of ours and keeps its traceback.
    """

    @functools.wraps(main)
    def guarded(argv: list[str] | None = None) -> int:
        _release_interrupts()
        try:
            return main(argv) or 0
        except UserError as error:
            # a loader's workers end now; the garbage collector would wait 5 seconds for each of them
            traceback.clear_frames(error.__traceback__)
            return complain(_own_words(error))
        except KeyboardInterrupt:
            return complain("interrupted.", code=130)
        except OSError as error:
            if error.errno not in _USER_ERRNOS:
                raise
            where = f" ({error.filename})" if error.filename else ""
            return complain(f"cannot use a file or folder{where}: {os.strerror(error.errno)}.")
        except RuntimeError as error:
            found = _LOST_CONNECTION.search(str(error))
            if found is None or "RANK" not in os.environ:
                raise
            time.sleep(_FIRST_RANK_SECONDS)  # whoever started the processes ends this one meanwhile
            return complain(
                f"the connection to another process was lost ({found[0]}); its error stands above, or where its machine prints.",
                code=1,
            )

    return guarded


def _release_interrupts() -> None:
    """Give Ctrl-C back to Python, from what took it while the tool was loading (``guards/interrupts.py``)."""
    if getattr(signal.getsignal(signal.SIGINT), "__name__", "") == "end_at_once":
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _own_words(error: UserError) -> str:
    """The message; torch's loader puts the traceback of a worker before that of the worker's error."""
    text, kind = str(error), type(error)
    if not text.startswith(f"Caught {kind.__name__} in "):
        return text
    return text.rpartition(f"\n{kind.__module__}.{kind.__qualname__}: ")[2]


def complain(message: str, code: int = 2) -> int:
    """Print an error as one line on stderr, and return the exit code."""
    sys.stdout.flush()
    rank = os.environ.get("RANK") or os.environ.get("SLURM_PROCID", "0")
    if rank != "0":
        # What is wrong for all processes, the first one says for all: it ends the others before they say it again.
        time.sleep(_FIRST_RANK_SECONDS)
        message = f"rank {rank}: {message}"
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options of MMAction2's tools that training and testing share."""
    parser.add_argument("--work-dir", help="folder for logs, checkpoints and tables; default: work_dirs/<config name>")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=OptionAction,
        metavar="KEY=VALUE",
        help='settings that replace those of the config: optim_wrapper.optimizer.lr=0.01, key="[a,b]", key="[(a,b)]"',
    )
    parser.add_argument("--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none", help="job launcher")
    # torchrun sets LOCAL_RANK; torch.distributed.launch passes this option in either spelling.
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)
