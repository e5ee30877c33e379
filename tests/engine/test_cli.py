"""Which errors a tool turns into one line, and which keep their traceback."""

import errno

import pytest

from cgc_video.engine.cli import run_tool
from cgc_video.errors import UserError


def tool(error: BaseException | None):
    @run_tool
    def main(argv=None):
        if error is not None:
            raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (None, 0, ""),
        (UserError("lr (0) must be\n  positive."), 2, "error: lr (0) must be positive.\n"),
        (KeyboardInterrupt(), 130, "error: interrupted.\n"),
        (OSError(errno.ENOSPC, "full", "out.pth"), 2, "error: cannot use a file or folder (out.pth): No space left"),
        (PermissionError(errno.EACCES, "no", "/x"), 2, "error: cannot use a file or folder (/x): Permission denied"),
    ],
)
def test_user_errors_are_one_line(capsys, error, code, said):
    assert tool(error)() == code
    printed = capsys.readouterr().err
    assert printed.startswith(said)
    assert printed.count("\n") == (0 if error is None else 1)


@pytest.mark.parametrize("error", [ValueError("ours"), RuntimeError("ours"), OSError(errno.ECONNRESET, "net")])
def test_defects_keep_their_traceback(error):
    with pytest.raises(type(error)):
        tool(error)()
