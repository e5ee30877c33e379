"""A decoder that hangs or dies is bounded; nothing is shared between processes; nothing grows."""

import gc
import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from cgc_video.datasets.decoding import helper
from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.decoding.time_limit import Deadline
from cgc_video.datasets.decoding.video import open_video


@pytest.fixture(autouse=True)
def _own_helper():
    helper.close_helper()
    yield
    helper.close_helper()


def test_a_decoder_that_hangs_is_killed_and_the_next_file_is_read(video):
    opened = open_video(video("h264_mp4"), "decord", time_limit=2)
    process = opened._helper.process
    os.kill(process.pid, signal.SIGSTOP)  # it answers no more, as in a native call that never returns
    start = time.monotonic()
    with pytest.raises(DecodeError, match=f"{video('h264_mp4').name} cannot be decoded: timed out after 2 s"):
        opened.frames([3])
    assert time.monotonic() - start < 10
    assert process.poll() == -signal.SIGKILL
    opened.close()
    with open_video(video("h264_mkv"), "decord") as other:
        assert other.frames([3]).shape == (1, 48, 64, 3)


def test_a_native_call_that_never_comes_back_is_killed(tmp_path: Path, monkeypatch):
    """decord opens a pipe that nobody writes to. (Our look at a file beforehand, left out here, refuses pipes.)"""
    os.mkfifo(tmp_path / "pipe.mp4")
    blocks = "import decord, multiprocessing.connection as c; k = c.Connection({fd}); k.recv(); decord.VideoReader(%r)"
    monkeypatch.setattr(helper, "_BOOT", blocks % str(tmp_path / "pipe.mp4"))
    process = helper.HelperProcess()
    with pytest.raises(DecodeError, match="pipe.mp4 cannot be decoded: timed out after 3 s"):
        process.call(Deadline(tmp_path / "pipe.mp4", 3), "open", "pipe.mp4", "decord")
    assert process.process.poll() == -signal.SIGKILL


def test_a_decoder_that_dies_is_said_to(video):
    opened = open_video(video("h264_mp4"), "decord")
    opened._helper.process.kill()
    with pytest.raises(DecodeError, match=r"the decoder died of it \(exit status -9\)"):
        opened.frames([3])
    assert opened.frames([3]).shape == (1, 48, 64, 3)  # asked again, a new one opens it


def test_the_time_limit_is_looked_at_while_decoding(video, monkeypatch):
    with open_video(video("mpeg4_avi_b"), time_limit=100) as opened:
        clock = iter(range(0, 10000, 30))
        monkeypatch.setattr(time, "monotonic", lambda: next(clock))
        with pytest.raises(DecodeError, match="timed out after 100 s"):
            opened.frames([50])


def _read_in_child(path: str, queue) -> None:
    with open_video(path, "decord", time_limit=20) as opened:
        queue.put((opened.frames([7]).tobytes(), opened._helper.process.pid))


def test_a_fork_gets_a_helper_of_its_own(video):
    """Readers that cross a fork are what decord hangs on."""
    path = str(video("h264_mp4"))
    with open_video(path, "decord") as opened:
        expected, pid = opened.frames([7]).tobytes(), opened._helper.process.pid
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        children = [context.Process(target=_read_in_child, args=(path, queue)) for _ in range(2)]
        for child in children:
            child.start()
        answers = [queue.get(timeout=60) for _ in children]
        for child in children:
            child.join(timeout=30)
        assert [answer[0] for answer in answers] == [expected] * 2
        assert len({pid, *(answer[1] for answer in answers)}) == 3
        assert opened.frames([7]).tobytes() == expected  # ours is untouched


def test_a_helper_ends_with_its_process(video):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_read_in_child, args=(str(video("h264_mp4")), queue))
    child.start()
    pid = queue.get(timeout=60)[1]
    child.join(timeout=30)
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            return
        time.sleep(0.1)
    pytest.fail(f"helper {pid} outlived its process")


def test_a_helper_is_renewed(video, monkeypatch):
    monkeypatch.setattr(helper, "FILES_PER_HELPER", 2)
    pids = []
    for _ in range(4):
        with open_video(video("h264_mp4"), "decord") as opened:
            pids.append(opened._helper.process.pid)
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_two_open_files_take_turns(video, reference):
    first = open_video(video("h264_mp4"), "decord")
    second = open_video(video("vp9_webm"), "decord")
    assert np.array_equal(first.frames([9])[0], reference("h264_mp4")[9])
    assert np.array_equal(second.frames([9])[0], reference("vp9_webm")[9])


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _handles() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("backend", ["pyav", "opencv", "decord"])
@pytest.mark.parametrize("decodes", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_decoding_grows_neither_memory_nor_handles(backend: str, decodes: int, video, tmp_path: Path):
    good = [video(name) for name in ("h264_mp4", "hevc_open_gop", "mpeg4_avi_b", "vp9_webm")]
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(good[0].read_bytes()[:2000])
    rng = np.random.default_rng(0)

    def decode(count: int) -> None:
        for number in range(count):
            try:
                with open_video([*good, bad][number % 5], backend) as opened:
                    opened.frames(rng.integers(0, 60, size=3))
            except DecodeError:
                assert number % 5 == 4

    decode(60)  # what is set up once
    gc.collect()
    memory, handles = _resident(), _handles()
    decode(decodes)
    gc.collect()
    assert _handles() <= handles
    assert _resident() - memory < 16 * 2**20
