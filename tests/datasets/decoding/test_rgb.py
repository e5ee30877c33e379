"""Frames are converted in the thread that asks for them."""

import os
import sys

import numpy as np
import pytest

from cgc_video.datasets.decoding.video import open_video


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_thread_is_started(video):
    threads = []

    def finish(image: np.ndarray) -> np.ndarray:
        threads.append(len(os.listdir("/proc/self/task")))
        return image

    with open_video(video("h264_mp4")) as opened:
        before = len(os.listdir("/proc/self/task"))
        opened.frames([0, 30, 59], finish)
    assert threads == [before] * 3
