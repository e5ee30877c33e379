"""Work in processes: none that raises, dies or hangs takes the run down, and Ctrl-C leaves none behind."""

import faulthandler
import os
import signal
import time

import pytest

from cgc_video.datasets.pool import Failure, map_bounded


def work(item):
    if item == "raise":
        raise KeyError("no\nsuch key")
    if item == "crash":
        faulthandler.disable()  # pytest's would print where
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "exit":
        os._exit(3)
    if item == "hang":
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))  # as deaf as native code that never returns
        time.sleep(60)
    return item * 2, os.getpid()


@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_gets_a_result(workers):
    items = [1, "raise", 2, "crash", "exit", 3, "hang", *range(4, 20)]
    start = time.monotonic()
    results = dict(map_bounded(work, items, workers, seconds=0.5))
    assert time.monotonic() - start < 20
    assert sorted(results) == list(range(len(items)))
    assert results[1] == Failure("KeyError: 'no\\nsuch key'")
    assert results[3] == Failure("the process reading it died (SIGSEGV)")
    assert results[4] == Failure("the process reading it died (exit code 3)")
    assert results[6] == Failure("not done within 0.5 s")
    good = {item: results[i][0] for i, item in enumerate(items) if isinstance(item, int)}
    assert good == {item: 2 * item for item in good}
    # a worker lives as long as nothing happens to it
    assert len({results[i][1] for i, item in enumerate(items) if isinstance(item, int)}) <= workers + 3


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_run_that_is_cut_off_leaves_no_process():
    results = map_bounded(work, range(100), workers=2, seconds=5)
    pids = {next(results)[1][1] for _ in range(10)}
    results.close()  # what Ctrl-C does to a loop over it
    assert not any(map(alive, pids))


def test_nothing_to_do():
    assert list(map_bounded(work, [], workers=4)) == []
