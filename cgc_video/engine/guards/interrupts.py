"""Run as a file by each tool before anything that takes seconds to import: Ctrl-C is one line and exit code 130, and no traceback.

As a file, since importing any module of the package imports all that takes so long. ``run_tool`` gives Ctrl-C back to Python.
"""

import os
import signal


def end_at_once(*_: object) -> None:
    os.write(2, b"error: interrupted.\n")
    os._exit(130)


signal.signal(signal.SIGINT, end_at_once)
