"""One rule for how frames are named: preparation and training take the same files for frames."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.decoding.frame_names import name_frames, read_frame_folder
from cgc_video.datasets.decoding.frames import FrameLayout, folder_layout
from cgc_video.datasets.preparation.folder import prepare_folder
from cgc_video.datasets.preparation.sthv1 import count_frames


def numbered(template: str, *numbers: int) -> list[str]:
    return [template.format(number) for number in numbers]


GOOD = {
    "zero padded": (["00001.jpg", "00002.jpg"], ("{:05}.jpg", 1, 2)),
    "from 0": (["img_00000.png", "img_00001.png"], ("img_{:05}.png", 0, 2)),
    "plain numbers": (numbered("{}.jpeg", *range(1, 12)), ("{}.jpeg", 1, 11)),
    "more digits at the end": (numbered("f{:03}.JPG", *range(1002)), ("f{:03}.JPG", 0, 1002)),
    "braces": (["{a}_01.jpg"], ("{{a}}_{:02}.jpg", 1, 1)),
    "a number in the prefix": (["v2_01.webp", "v2_02.webp"], ("v2_{:02}.webp", 1, 2)),
    "other files": (["1.jpg", "2.jpg", "Thumbs.db", "cover.jpg", "._1.jpg", ".1.jpg"], ("{}.jpg", 1, 2)),
    "fewer of another prefix": (["1.jpg", "2.jpg", "poster7.jpg"], ("{}.jpg", 1, 2)),
    "a copy in another format": (["1.jpg", "2.jpg", "1.png", "2.png"], ("{}.jpg", 1, 2)),
    "no flow, but a flower": (["flower_1.jpg", "flower_2.jpg"], ("flower_{}.jpg", 1, 2)),
}
FAULTY = {
    "nothing": ([], "zero frames"),
    "no numbers": (["notes.txt", "cover.jpg"], "zero frames"),
    "flow alone": (["flow_x_00001.jpg", "flow_y_00001.jpg", "x_1.jpg", "y_1.jpg"], "zero frames"),
    "a gap": (["00001.jpg", "00002.jpg", "00004.jpg"], "frame 00003.jpg is missing between others"),
    "late": (["00007.jpg", "00008.jpg"], "the first frame is 00007.jpg, not number 0 or 1"),
    "two templates": (["1.jpg", "2.jpg", "img_1.jpg", "img_2.jpg"],
                      "frames of two templates (<number>.jpg and img_<number>.jpg)"),
    "mixed suffixes": (["1.jpg", "2.png", "3.jpg"], "frame 2.jpg is missing between others"),
    "another suffix from some number on": (["1.jpg", "2.jpg", "3.JPG"], "frame 3.jpg is missing between others"),
    "padding that stops": (["1.jpg", "02.jpg", "3.jpg"], "frame 2.jpg is missing between others"),
}  # fmt: skip


@pytest.mark.parametrize(("names", "expected"), GOOD.values(), ids=GOOD)
def test_a_template_is_found(names: list[str], expected: tuple):
    found = name_frames(reversed(names))
    assert (found[:3], found.fault, found.gaps) == (expected, None, False)
    assert found.template.format(found.first) == names[0]


@pytest.mark.parametrize(("names", "fault"), FAULTY.values(), ids=FAULTY)
def test_a_fault_is_one_sentence_wherever_the_folder_is_met(names: list[str], fault: str, tmp_path: Path):
    for name in names:
        (tmp_path / name).touch()
    assert read_frame_folder(tmp_path).fault == fault
    assert read_frame_folder(tmp_path).gaps
    with pytest.raises(DecodeError) as caught:
        folder_layout(tmp_path)
    assert caught.value.reason == fault


@pytest.mark.parametrize("prefixes", [("flow_x_", "flow_y_"), ("x_", "y_"), ("opt-flow_",)], ids=" ".join)
def test_flow_images_beside_the_frames_are_passed_over(prefixes: tuple[str, ...], tmp_path: Path):
    """There are up to twice as many of them, and one less per direction."""
    clip = tmp_path / "jumping" / "1"
    clip.mkdir(parents=True)
    for number in range(1, 5):
        for prefix in ("", *(prefix for prefix in prefixes if number < 4)):
            cv2.imwrite(str(clip / f"{prefix}{number:05d}.jpg"), np.zeros((8, 8, 3), np.uint8))
    assert folder_layout(clip) == (FrameLayout("{:05}.jpg", 1), 4)
    assert count_frames(clip) == 4
    shutil.copytree(clip, tmp_path / "jumping" / "2")
    prepared = prepare_folder(tmp_path, shares={"val": 0.5})
    assert {entry["total_frames"] for report in prepared.reports for entry in report.entries} == {4}
    assert "filename_tmpl='{:05}.jpg', start_index=1" in prepared.notes[-1]
