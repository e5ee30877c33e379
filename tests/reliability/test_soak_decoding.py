"""Decode thousands of clips: memory and open files stay where they are."""

import os
from multiprocessing import get_context

import numpy as np
import pytest

from cgc_video.datasets.decoding.helper import close_helper
from cgc_video.datasets.decoding.video import open_video

MOST_GROWTH = 16 * 2**20  # bytes, from the 100th decode of a process on


def _soak(paths: list[str], backend: str, decodes: int, probes, answers) -> None:
    resident_bytes, open_files = probes
    rng, marks = np.random.default_rng(0), []
    for number in range(decodes + 1):
        if number % (decodes // 2) == 0 or number == 100:
            marks.append((number, resident_bytes(os.getpid()), open_files(os.getpid())))
        with open_video(paths[number % len(paths)], backend) as video:
            wanted = rng.integers(0, video.num_frames, 4)
            assert video.frames(wanted).shape[0] == 4
    close_helper()
    answers.put(marks)


def soak(paths: list[str], backend: str, decodes: int, probes) -> list[tuple[int, int, int]]:
    """``(decodes, bytes, open files)`` at the start, after 100, in the middle and at the end, of a process that does nothing else."""
    context = get_context("fork")
    answers = context.Queue()
    process = context.Process(target=_soak, args=(paths, backend, decodes, probes, answers))
    process.start()
    marks = answers.get(timeout=1200)
    process.join()
    return sorted(marks)


def check(marks: list[tuple[int, int, int]], figure) -> None:
    (first, warm, files), (last, end, files_at_end) = marks[1], marks[-1]
    growth = f"{(end - warm) / 2**20:+.1f} MiB (at most {MOST_GROWTH / 2**20:.0f} allowed)"
    figure(f"{growth} and {files_at_end - files:+d} open files from decode {first} to {last}")
    assert end - warm < MOST_GROWTH, marks
    assert files_at_end == files, marks


@pytest.fixture
def clips(mini_data) -> list[str]:
    return sorted(str(path) for path in (mini_data / "videos").iterdir())


def test_some_hundred_decodes(clips, probes, figure):
    check(soak(clips, "pyav", 400, probes), figure)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("backend", ["pyav", "opencv", "decord"])
def test_two_thousand_decodes(clips, probes, figure, backend):
    check(soak(clips, backend, 2000, probes), figure)
