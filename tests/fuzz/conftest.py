"""Inputs made by hypothesis, and what runs them: in this process, or in one of its own that may crash or hang.

A fast run takes some hundred inputs in all, drawn with fixed seeds; ``python tools/long_checks.py fuzz`` takes 10,000 of each kind, and ``CGC_FUZZ_INPUTS=N`` sets another number.
"""

import gc
import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="hypothesis is not installed: pip install -e .[test]")

from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from cgc_video.errors import UserError  # noqa: E402

MANY, SECONDS = 10_000, 10.0
_ROUND = 1000  # hypothesis keeps what it drew until a run of it ends: 7 GB for 10,000 large tables


@dataclass
class Outcome:
    """What became of the inputs of one kind."""

    accepted: int = 0
    refused: int = 0
    slowest: float = 0.0


@pytest.fixture
def fuzz(request, figure) -> Callable[..., Outcome]:
    """Run ``check`` on each input of a strategy; it says whether the input was accepted, and raises if that is a fault.

    An input that takes over 10 s is a fault, too. ``few`` and ``many`` are the numbers of inputs of a fast and of a full run.
    """
    full = request.config.getoption("--run-slow")

    def run(strategy: st.SearchStrategy, check: Callable[[Any], bool], few: int, many: int = MANY) -> Outcome:
        outcome = Outcome()

        def one(value: Any) -> None:
            start = time.process_time()  # a machine that is busy with other things makes no input slow
            accepted = check(value)
            seconds = time.process_time() - start + getattr(check, "seconds", 0.0)
            outcome.slowest = max(outcome.slowest, seconds)
            outcome.accepted += accepted
            outcome.refused += not accepted
            assert seconds < SECONDS, f"it took {seconds:.1f} s"

        inputs = int(os.environ.get("CGC_FUZZ_INPUTS", many if full else few))
        # mmengine collects garbage with each data set: what was there before the test need not be looked at each time
        gc.freeze()
        try:
            for begun in range(0, inputs, _ROUND):
                test = settings(
                    max_examples=min(_ROUND, inputs - begun),
                    deadline=None,
                    database=None,
                    phases=(Phase.explicit, Phase.generate, Phase.shrink),
                    suppress_health_check=list(HealthCheck),
                )(given(strategy)(one))
                seed(begun)(test)()  # hypothesis also takes constants of the modules that are loaded
        finally:
            gc.unfreeze()
        total, slowest = outcome.accepted + outcome.refused, f"{outcome.slowest:.2f} s for the slowest"
        figure(f"{total:,} inputs: {outcome.accepted:,} accepted, {outcome.refused:,} refused by name, {slowest}")
        return outcome

    return run


@pytest.fixture
def names_file() -> Callable[..., bool]:
    """Call a reader of a file: True if it takes the file, False if it refuses it by a ``UserError`` that names one of the files."""

    def run(read: Callable[[], Any], *files: str | os.PathLike) -> bool:
        try:
            read()
        except UserError as error:
            message = str(error)
            assert any(str(file) in message for file in files), message
            assert "Traceback" not in message
            return False
        return True

    return run


# Numbers that fields of a file format do not expect.
_ODD = [
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\1",
    b"\xff\xff\0\0",
    b"\0" * 8,
    b"\xff" * 8,
]


_EDITS = ["bit", "bit", "bit", "bytes", "bytes", "odd", "odd", "zeros", "cut", "remove", "insert", "double", "mix"]


@st.composite
def _edited(draw, originals: list[bytes]) -> bytes:
    """One of some files with one place of it changed, or a few: mostly such that it keeps its size, which readers check first.

    Places near an end are as likely as those between, since that is where formats keep their tables.
    """
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3, 8]))):
        end = len(data)
        ends = st.one_of(st.integers(0, min(end, 256)), st.integers(max(0, end - 2048), end))
        place = draw(st.one_of(st.integers(0, end), ends))
        length = draw(st.integers(1, 64))
        kind = draw(st.sampled_from(_EDITS))
        if kind == "bit" and place < end:
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "bytes":
            data[place : place + length] = draw(st.binary(min_size=length, max_size=length))
        elif kind == "odd":
            odd = draw(st.sampled_from(_ODD))
            data[place : place + len(odd)] = odd
        elif kind == "zeros":
            data[place : place + 8 * length] = bytes(min(8 * length, end - place))
        elif kind == "cut":
            del data[place:]
        elif kind == "remove":
            del data[place : place + length]
        elif kind == "insert":
            data[place:place] = draw(st.binary(max_size=64))
        elif kind == "double":
            data[place:place] = data[max(0, place - 8 * length) : place]
        elif kind == "mix":
            other = draw(st.sampled_from(originals))
            data[place:] = other[min(place, len(other)) :]
    return bytes(data)


@pytest.fixture
def damaged() -> Callable[..., st.SearchStrategy]:
    """Files made from whole ones by damaging them, and a few that never were any."""

    def make(originals: list[bytes]) -> st.SearchStrategy:
        edited = _edited(originals)
        return st.one_of(edited, edited, edited, edited, edited, edited, edited, st.binary(max_size=512))

    return make


class Sandbox:
    """A process that calls ``function`` on one input after another, and is replaced when it dies or hangs.

    Args:
        function: Called in the process; what it returns, or raises, comes back.
    Attributes:
        seconds: CPU time of the last call.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function, self.process, self.seconds = function, None, 0.0

    def __call__(self, value: Any) -> Any:
        if self.process is None or not self.process.is_alive():
            self._start()
        self.connection.send(value)
        # twice: both processes may have been stopped for a while
        if not self.connection.poll(SECONDS) and not self.connection.poll(SECONDS):
            self.close()
            raise AssertionError(f"no answer within {2 * SECONDS:g} s")
        try:
            kind, answer, self.seconds = self.connection.recv()
        except EOFError:
            self.process.join(5)
            code = self.process.exitcode
            self.close()
            name = signal.Signals(-code).name if code and code < 0 else f"exit code {code}"
            raise AssertionError(f"the process died of it ({name})") from None
        if kind == "error":
            raise AssertionError(answer)
        return answer

    def _start(self) -> None:
        context = get_context("fork")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=self._serve, args=(theirs, self.connection), daemon=True)
        self.process.start()
        theirs.close()

    def _serve(self, connection, other) -> None:
        other.close()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries complain there about every bad file
        while True:
            try:
                value = connection.recv()
            except EOFError:
                os._exit(0)
            start = time.process_time()
            try:
                kind, answer = "ok", self.function(value)
            except Exception as error:  # whatever it is, it is the finding
                kind, answer = "error", f"{type(error).__name__}: {error}\n{traceback.format_exc()[-1500:]}"
            connection.send((kind, answer, time.process_time() - start))

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.connection.close()
            self.process = None


@pytest.fixture
def sandbox():
    """Make a ``Sandbox`` of a function; its process is ended behind the test."""
    made: list[Sandbox] = []

    def make(function: Callable[[Any], Any]) -> Sandbox:
        made.append(Sandbox(function))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def rewrite(tmp_path) -> Callable[[str, bytes], Path]:
    """Write a file of some name, in place of the one before."""

    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write
