"""Decode in a process of its own, which is ended when it takes too long.

A native decoder that never comes back cannot be interrupted from within its process. decord hangs on some files, and
where a reader crosses a fork. So each process that reads through it (a worker of the loader) starts one helper with
``exec``, on first use; requests go through a pair of pipes, frames come back as bytes. A helper that hangs is killed, a
helper that dies on a file is said to have done so, and the next file gets a new one. It also keeps whatever decord
leaks, and is renewed every ``FILES_PER_HELPER`` files.
"""

import os
import subprocess
import sys
import threading
from multiprocessing.connection import Pipe
from typing import Any

import numpy as np

from ...errors import UserError
from .errors import DecodeError
from .time_limit import Deadline

__all__ = ["FILES_PER_HELPER", "HelperProcess", "close_helper", "get_helper"]

FILES_PER_HELPER = 1000
# The package itself is not imported there (it takes torch along): its folders stand in for it.
_BOOT = """
import sys, types
for name, folder in {packages!r}.items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
from cgc_video.datasets.decoding.helper_main import serve
serve({fd})
"""


class HelperProcess:
    """A child process that opens one video at a time.

    Attributes:
        files: How many videos it was asked to open.
    """

    def __init__(self) -> None:
        ours, theirs = Pipe()
        with theirs:
            package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
            packages = {"cgc_video": package, "cgc_video.datasets": os.path.join(package, "datasets")}
            code = _BOOT.format(packages=packages, fd=theirs.fileno())
            self.process = subprocess.Popen(
                [sys.executable, "-c", code], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        self.connection, self.owner, self.files = ours, os.getpid(), 0

    def call(self, deadline: Deadline, *request) -> Any:
        """Send a request and wait for its answer.

        Raises:
            DecodeError: What the helper found wrong; or that it took too long, or died, and then it is no more.
        """
        try:
            self.connection.send(request)
            if not self.connection.poll(None if deadline.seconds is None else deadline.left):
                raise deadline.error()
            kind, *answer = self.connection.recv()
            if kind == "frames":
                images = np.empty(answer[0], np.uint8)
                self.connection.recv_bytes_into(images.reshape(-1).data)
                return images
        except DecodeError:
            self.kill()
            raise
        except (EOFError, OSError) as error:
            self.kill()
            status = self.process.returncode
            raise DecodeError(deadline.path, f"the decoder died of it (exit status {status})") from error
        except BaseException:  # an interruption: the answer would come to the next request
            self.kill()
            raise
        if kind == "decode error":
            raise DecodeError(deadline.path, *answer)
        if kind == "user error":
            raise UserError(*answer)
        return answer[0]

    def kill(self) -> None:
        """End the process at once."""
        self.connection.close()
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()

    @property
    def is_usable(self) -> bool:
        """Whether it lives, belongs to this process (a fork inherits its parent's) and is not due for renewal."""
        alive = not self.connection.closed and self.owner == os.getpid() and self.process.poll() is None
        return alive and self.files < FILES_PER_HELPER


_LOCK = threading.Lock()
_HELPER: HelperProcess | None = None


def get_helper() -> HelperProcess:
    """This process's helper, started if there is none."""
    global _HELPER
    with _LOCK:
        if _HELPER is None or not _HELPER.is_usable:
            if _HELPER is not None:
                _HELPER.kill()
            _HELPER = HelperProcess()
        return _HELPER


def close_helper() -> None:
    """End this process's helper, if there is one; the next file starts another."""
    global _HELPER
    with _LOCK:
        if _HELPER is not None:
            _HELPER.kill()
            _HELPER = None
