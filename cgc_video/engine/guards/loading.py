"""While a tool loads, before ``run_tool`` stands: Ctrl-C is one line and exit code 130, a missing package one line and exit code 2.

Run as a file by each tool before anything that takes seconds to import; importing any module of the package imports all that takes so
long. ``run_tool`` gives Ctrl-C and errors back to Python.
"""

import os
import signal
import sys


def end_at_once(*_: object) -> None:
    os.write(2, b"error: interrupted.\n")
    os._exit(130)


def tell_missing_package(kind: type[BaseException], error: BaseException, trace: object) -> None:
    name = getattr(error, "name", None)
    if not isinstance(error, ModuleNotFoundError) or not name or name.startswith("cgc_video"):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(
        f"error: this Python ({sys.executable}) has no package {name}; take the project's environment (. .venv/bin/activate, which "
        "`bash tools/quickstart.sh` makes), or install the project: pip install -e .\n"
    )
    sys.stderr.flush()
    os._exit(2)


signal.signal(signal.SIGINT, end_at_once)
sys.excepthook = tell_missing_package
