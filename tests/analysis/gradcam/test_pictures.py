"""Overlays and the files they are written to."""

import cv2
import numpy as np
from PIL import Image

from cgc_video.analysis.gradcam.explain import Explanation
from cgc_video.analysis.gradcam.pictures import draw_strip, overlay
from cgc_video.analysis.gradcam.report import write_explanation
from cgc_video.datasets.decoding.video import open_video


def test_an_overlay_is_blue_at_0_and_red_at_1():
    frames = np.full((1, 2, 2, 3), 100, np.uint8)
    blended = overlay(frames, np.array([[[0.0, 1.0], [0.0, 0.0]]]))
    assert blended[0, 0, 0].argmax() == 2
    assert blended[0, 0, 1].argmax() == 0


def test_a_strip_is_as_wide_as_its_frames_and_titles():
    frames = np.zeros((3, 200, 50, 3), np.uint8)
    assert draw_strip([("a", frames)]).shape == (20 + 200 + 2, 3 * 52, 3)
    assert draw_strip([("a long title for frames as narrow as these", frames)]).shape[1] > 3 * 52


def _explanation(num_frames: int) -> Explanation:
    frames = np.random.default_rng(0).integers(0, 256, (num_frames, 33, 35, 3), dtype=np.uint8)
    maps = {"layer": np.random.default_rng(1).random((num_frames, 33, 35))}
    return Explanation(frames, maps, predicted=1, probability=0.8, target=0)


def test_a_clip_is_a_strip_a_gif_and_an_mp4(tmp_path):
    files = write_explanation(tmp_path / "new" / "clip", [("", _explanation(4))], ["a", "b"])
    assert [file.name for file in files] == ["clip.png", "clip.gif", "clip.mp4"]
    assert cv2.imread(str(files[0])).shape == (2 * (20 + 4 * 33 + 2), 4 * (4 * 35 + 2), 3)
    assert Image.open(files[1]).n_frames == 4
    with open_video(files[2]) as video:
        assert video.num_frames == 4
        assert video.size == (4 * 33, 4 * 35)


def test_an_image_is_a_strip_alone(tmp_path):
    assert [file.name for file in write_explanation(tmp_path / "image", [("", _explanation(1))], ["a", "b"])] == [
        "image.png"
    ]
