"""Passes are timed in turn; what cannot run is named, what is broken raises."""

import pytest

from cgc_video.benchmark.settings import Settings
from cgc_video.benchmark.step import Step
from cgc_video.benchmark.timing import Timing, time_alternately


def test_rounds_alternate_and_rotate():
    calls: list[str] = []
    builders = {name: lambda name=name: Step(lambda: calls.append(name)) for name in "abc"}
    timings, failures = time_alternately(builders, Settings(repeats=4, warmup=2))
    assert "".join(calls) == "aabbcc" + "abc" + "bca" + "cab" + "abc"
    assert list(timings) == ["a", "b", "c"]
    assert failures == {}
    assert all(0 <= t.min_ms <= t.q25_ms <= t.median_ms <= t.q75_ms for t in timings.values())


def test_quartiles():
    assert Timing.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Timing(3.0, 1.0, 2.0, 4.0)
    assert Timing.of([7.0]) == Timing(7.0, 7.0, 7.0, 7.0)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ..."), "out of memory"),
        (
            ValueError("backend ('cpu') cannot run this call: it is full."),
            "backend ('cpu') cannot run this call: it is full.",
        ),
    ],
)
def test_a_pass_that_cannot_run_is_left_out(error, reason):
    def fail():
        raise error

    timings, failures = time_alternately({"good": lambda: Step(lambda: None), "bad": lambda: Step(fail)}, Settings())
    assert list(timings) == ["good"]
    assert failures == {"bad": reason}


@pytest.mark.parametrize("error", [ValueError("shapes disagree"), RuntimeError("sizes do not match"), KeyError("x")])
def test_a_defect_raises(error):
    def fail():
        raise error

    with pytest.raises(type(error)):
        time_alternately({"bad": lambda: Step(fail)}, Settings())
