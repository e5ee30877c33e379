"""What the command line tools share: common options, and errors a user can mend as one line instead of a traceback."""

import argparse
import errno
import functools
import os
import sys
import traceback
from collections.abc import Callable

from mmengine.config import DictAction

from ..errors import UserError

__all__ = ["add_common_options", "run_tool"]

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


def run_tool(main: Callable[..., int | None]) -> Callable[..., int]:
    """Decorate a tool's ``main``: a ``UserError`` or a file problem is one line on stderr and exit code 2.

    Ctrl-C gives 130. Any other exception is a defect of ours and keeps its traceback.
    """

    @functools.wraps(main)
    def guarded(argv: list[str] | None = None) -> int:
        try:
            return main(argv) or 0
        except UserError as error:
            # a loader's workers end now; the garbage collector would wait 5 seconds for each of them
            traceback.clear_frames(error.__traceback__)
            return _complain(_own_words(error))
        except KeyboardInterrupt:
            return _complain("interrupted.", code=130)
        except OSError as error:
            if error.errno not in _USER_ERRNOS:
                raise
            where = f" ({error.filename})" if error.filename else ""
            return _complain(f"cannot use a file or folder{where}: {os.strerror(error.errno)}.")

    return guarded


def _own_words(error: UserError) -> str:
    """The message; torch's loader puts the traceback of a worker before that of the worker's error."""
    text, kind = str(error), type(error)
    if not text.startswith(f"Caught {kind.__name__} in "):
        return text
    return text.rpartition(f"\n{kind.__module__}.{kind.__qualname__}: ")[2]


def _complain(message: str, code: int = 2) -> int:
    sys.stdout.flush()
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options of MMAction2's tools that training and testing share."""
    parser.add_argument("--work-dir", help="folder for logs, checkpoints and tables; default: work_dirs/<config name>")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help='settings that replace those of the config: optim_wrapper.optimizer.lr=0.01, key="[a,b]", key="[(a,b)]"',
    )
    parser.add_argument("--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none", help="job launcher")
    # torchrun sets LOCAL_RANK; torch.distributed.launch passes this option in either spelling.
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)
