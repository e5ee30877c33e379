"""``tools/browse_dataset.py``: pictures of each split."""

import cv2
import numpy as np

from tools.browse_dataset import main


def test_pictures_of_training_clips(tiny_config, capsys):
    assert main([tiny_config(), "--number", "3", "--output", "sheets"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "5 clips of the train split, 2 frames and 1 view each"
    assert out[1:] == [
        "sheets/train_000000.png: 0.mp4, Going left",
        "sheets/train_000002.png: 2.mp4, Standing still",
        "sheets/train_000004.png: 4.mp4, Going right",
    ]
    sheet = cv2.imread("sheets/train_000002.png")
    assert sheet.shape == (2 * 18 + 4 + 33, 480, 3)
    frames = sheet[-33:-1, :66]
    # a bright square of 8 pixels at the same place in both frames, on a dark ground
    for frame in (frames[:, :32], frames[:, 33:65]):
        assert abs(int(np.median(frame[14:18, 14:18])) - 220) < 8
        assert abs(int(np.median(frame[:8])) - 40) < 8


def test_views_of_a_test_clip(tiny_config, capsys):
    assert main([tiny_config(), "--split", "test", "--number", "1"]) == 0
    assert "2 frames and 6 views each" in capsys.readouterr().out
    assert cv2.imread("work_dirs/browse/tiny/test_000000.png").shape[0] == 2 * 18 + 4 + 6 * 33


def test_what_cannot_be_shown(tiny_config, capsys):
    assert main([tiny_config(), "--number", "0"]) == 2
    assert "--number (0) must be at least 1" in capsys.readouterr().err
    assert main([tiny_config(("DATA/list.txt", "gone.txt"))]) == 2
    assert "ann_file (gone.txt) does not exist" in capsys.readouterr().err
