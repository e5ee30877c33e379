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
from collections.abc import Callable, Iterator

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
_FIRST_RANK_SECONDS = 10.0
# what torch's loader says; the rest of its sentence guesses at reasons
_LOST_WORKER = re.compile(
    r"DataLoader worker \(pid(?:\(s\))? [\d, ]+\) (?:is )?(killed by signal: \w+|exited unexpectedly)"
)
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
        _end_loading()
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
        except Exception as error:
            if _interrupted(error):
                return complain("interrupted.", code=130)
            if (told := _lost_process(error)) is None:
                raise
            return complain(told, code=1)

    return guarded


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from: a library that catches everything tells Ctrl-C, or a dead worker, as a fault of its own."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _interrupted(error: BaseException) -> bool:
    return any(isinstance(each, KeyboardInterrupt) for each in _chain(error))


def _lost_process(error: BaseException) -> str | None:
    """What to say where a loader's worker, or a process at the other end of a connection, has gone."""
    for each in (each for each in _chain(error) if isinstance(each, RuntimeError)):
        if found := _LOST_WORKER.search(str(each)):
            return (
                f"a worker of a data loader has gone ({found[1]}), which is mostly for lack of memory; lower num_workers or batch_size, and "
                "go on with --resume."
            )
        if "RANK" in os.environ and (found := _LOST_CONNECTION.search(str(each))):
            time.sleep(_FIRST_RANK_SECONDS)  # whoever started the processes ends this one meanwhile
            return f"the connection to another process was lost ({found[0]}); its error stands above, or where its machine prints."
    return None


def _end_loading() -> None:
    """Give Ctrl-C and errors back to Python, from what took them while the tool was loading (``guards/loading.py``)."""
    if getattr(signal.getsignal(signal.SIGINT), "__name__", "") == "end_at_once":
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.excepthook = sys.__excepthook__


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
