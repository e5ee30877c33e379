"""A training that runs for hundreds of iterations holds its memory, and nothing of it outlives it, however it ends."""

import os
import signal
import time

import pytest

# Bytes by which all processes of the training may grow between its first third and its end.
MOST_GROWTH = 48 * 2**20
TOOLS = ["tools/train.py", "tools/data/check.py"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_hundred_iterations(start, mini_options, probes, figure):
    """Sampled twice a second from outside: bytes and open files of the training and of its workers."""
    resident_bytes, open_files = probes
    epochs = 38  # of 8 batches: 304 iterations
    run = start(
        "tools/train.py", *mini_options, f"train_cfg.max_epochs={epochs}", "default_hooks.checkpoint.interval=5"
    )
    run.wait_for("[1/8]")  # epochs are padded to the width of the last
    marks = []
    while run.process.poll() is None:
        pids = run.look()
        done = run.out.read_text().count("Epoch(train) ")
        marks.append((done, sum(map(resident_bytes, pids)), sum(map(open_files, pids)), len(pids)))
        time.sleep(0.5)
    assert run.process.returncode == 0, run.error[-2000:]
    assert run.out.read_text().count("Epoch(train) ") >= 300
    whole = [mark for mark in marks if mark[3] == 3]  # the training and its two workers
    early = [mark for mark in whole if 8 * epochs / 4 < mark[0] < 8 * epochs / 2]
    late = [mark for mark in whole if mark[0] > 8 * epochs * 3 / 4]
    memory = [sorted(mark[1] for mark in part)[len(part) // 2] for part in (early, late)]
    files = [max(mark[2] for mark in part) for part in (early, late)]
    growth = f"{(memory[1] - memory[0]) / 2**20:+.1f} MiB of {memory[0] / 2**20:.0f} (at most {MOST_GROWTH / 2**20:.0f} allowed)"
    figure(
        f"{8 * epochs} iterations: {growth} and {files[1] - files[0]:+d} of {files[0]} open files from the second quarter to the last"
    )
    assert memory[1] - memory[0] < MOST_GROWTH
    assert files[1] <= files[0]
    assert run.left() == set()


def test_nothing_is_left_after_ctrl_c(start, mini_options):
    """As a terminal does it: to all processes of the group."""
    run = start("tools/train.py", *mini_options)
    run.wait_for("Epoch(train) [1][2/8]")
    assert len(run.seen) >= 3
    assert run.end(signal.SIGINT, group=True) == 130
    assert run.error.strip().splitlines()[-1] == "error: interrupted."
    assert "Traceback" not in run.error
    assert run.left() == set()


@pytest.mark.slow
def test_a_worker_that_is_killed_is_told_in_a_sentence(start, mini_options):
    """As by the kernel, for lack of memory."""
    run = start("tools/train.py", *mini_options)
    run.wait_for("Epoch(train) [1][2/8]")
    os.kill(next(pid for pid in run.look() if pid != run.process.pid), signal.SIGKILL)
    assert run.end() == 1
    assert (
        run.error.strip()
        .splitlines()[-1]
        .startswith(
            "error: a worker of a data loader has gone (killed by signal: Killed), which is mostly for lack of memory"
        )
    )
    assert "Traceback" not in run.error
    assert run.left() == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "group", "code"),
    [
        (None, False, 0),
        (signal.SIGINT, False, 130),
        (signal.SIGTERM, False, -15),
        (signal.SIGTERM, True, -15),
        (signal.SIGKILL, False, -9),
    ],
    ids=["end", "sigint-main", "sigterm-main", "sigterm-group", "sigkill-main"],
)
@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_nothing_is_left(start, mini_options, figure, number, group, code, backend):
    """decord decodes in a process below the worker, which must be gone, too."""
    options = [f"train_dataloader.dataset.pipeline.0.backend={backend}", "train_cfg.max_epochs=1"]
    run = start("tools/train.py", *mini_options, *options)
    run.wait_for("Epoch(train) [1][2/8]")
    assert len(run.seen) >= (5 if backend == "decord" else 3)
    assert run.end(number, group) == code
    if number == signal.SIGINT:
        assert run.error.strip().splitlines()[-1] == "error: interrupted."
        # a worker whose hand-over of a batch is cut off may say so, with a traceback of Python's own
        assert "KeyboardInterrupt" not in run.error
    assert run.left() == set()
    figure(f"of {len(run.seen)} processes none is left")


def _loads_torch(run) -> bool:
    try:
        with open(f"/proc/{run.process.pid}/maps") as maps:
            return "libtorch_cpu" in maps.read()
    except OSError:
        return False


@pytest.mark.parametrize("group", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["main", "group"])
def test_ctrl_c_while_a_tool_is_loading(start, group):
    run = start("tools/train.py", "--help")
    run.wait_until(lambda: _loads_torch(run), 60, "import of torch")
    assert run.end(signal.SIGINT, group) == 130
    assert run.error == "error: interrupted.\n"


def test_every_tool_minds_ctrl_c_while_it_is_loading(repository):
    """The lines stand before anything that takes long to import."""
    tools = sorted((repository / "tools").rglob("*.py"))
    assert len(tools) > 20
    for tool in tools:
        before, found, _ = tool.read_text().partition('"engine/guards/loading.py"))\n')
        assert found, tool
        heavy = [line for line in before.splitlines() if line.startswith(("import ", "from ")) and "cgc_video" in line]
        assert not heavy, tool
    assert os.path.isfile(repository / "cgc_video" / "engine" / "guards" / "loading.py")
