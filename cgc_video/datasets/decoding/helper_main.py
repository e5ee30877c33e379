"""What a helper process does; it imports this module without the package around it, see ``helper``."""

import contextlib
import ctypes
import signal
import sys
from multiprocessing.connection import Connection

from ...errors import UserError
from .errors import DecodeError
from .video import VideoFile, open_video

__all__ = ["serve"]


def serve(fd: int) -> None:
    """Answer requests until the other end is closed; the main function of a helper."""
    _die_with_parent()
    with contextlib.suppress(ImportError):
        import decord

        decord.logging.set_level(decord.logging.QUIET)  # what it finds wrong is said once, with the path
    connection = Connection(fd)
    video: VideoFile | None = None
    while True:
        try:
            action, *arguments = connection.recv()
        except (EOFError, OSError):
            return
        try:
            if action == "open":
                video = open_video(*arguments, time_limit=None)
                connection.send(("ok", (video.num_frames, video.fps)))
            elif action == "frames":
                images = video.frames(*arguments)
                connection.send(("frames", images.shape))
                connection.send_bytes(images.reshape(-1).data)
            else:
                video = None
                connection.send(("ok", None))
        except DecodeError as error:
            connection.send(("decode error", error.reason))
        except UserError as error:
            connection.send(("user error", str(error)))


def _die_with_parent() -> None:
    """Ask Linux to end this process with its parent: one that hangs does not see that the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
