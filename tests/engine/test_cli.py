"""Which errors a tool turns into one line, and which keep their traceback."""

import errno

import pytest
from mmengine.config import Config
from torch._utils import ExceptionWrapper

from cgc_video.datasets.decoding.errors import DecodeError
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


def test_ctrl_c_that_a_library_takes_for_a_fault_of_its_own(capsys, monkeypatch):
    """MMEngine formats the config's text for each checkpoint, and tells whatever ends that as a mistake of the config."""

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mmengine.config.config.FormatCode", interrupt)
    assert run_tool(lambda argv=None: Config(dict(a=1)).pretty_text)() == 130
    assert capsys.readouterr().err == "error: interrupted.\n"


@pytest.mark.parametrize("error", [ValueError("ours"), RuntimeError("ours"), OSError(errno.ECONNRESET, "net")])
def test_defects_keep_their_traceback(error):
    with pytest.raises(type(error)):
        tool(error)()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("lr (0) must be\n  positive."), "error: lr (0) must be positive.\n"),
        (DecodeError("a.mp4", "missing"), "error: a.mp4 cannot be decoded: missing.\n"),
    ],
)
def test_an_error_of_a_loader_worker_keeps_its_words_only(capsys, error, said):
    try:
        raise error from OSError("the cause")
    except UserError:
        wrapped = ExceptionWrapper(where="in DataLoader worker process 0")
    with pytest.raises(UserError) as caught:
        wrapped.reraise()
    assert tool(caught.value)() == 2
    assert capsys.readouterr().err == said
