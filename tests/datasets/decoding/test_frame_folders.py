"""The template and first number of frame folders are found, and contradictions are errors."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.decoding.frames import FrameLayout, detect_layout, folder_layout, frame_size, read_frames
from cgc_video.errors import UserError


def fill(folder: Path, template: str, numbers) -> Path:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        (folder / template.format(number)).write_bytes(b"x")
    return folder


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("count", [1, 3, 12, 120])
@pytest.mark.parametrize(
    "template",
    [
        "{:05}.jpg",
        "img_{:05}.jpg",
        "{:06}.jpg",
        "frame{:04}.JPEG",
        "{}.png",
        "image-{}.jpg",
        "v2_{:05}.jpg",
        "a{{b_{:03}.jpg",
    ],
)
def test_templates_are_found(template: str, count: int, first: int, tmp_path: Path):
    folder = fill(tmp_path / "clip", template, range(first, first + count))
    (folder / "flow.txt").write_text("not a frame")
    layout, found = folder_layout(folder)
    assert found == count
    assert layout.first == first
    assert [layout.template.format(n) for n in range(first, first + count)] == [
        template.format(n) for n in range(first, first + count)
    ]


def test_broken_folders_are_named_with_their_reason(tmp_path: Path):
    with pytest.raises(DecodeError, match="missing"):
        folder_layout(tmp_path / "none")
    with pytest.raises(DecodeError, match="not readable"):
        folder_layout(Path(__file__))
    with pytest.raises(DecodeError, match="zero frames"):
        folder_layout(fill(tmp_path / "empty", "", []))


def test_a_data_set_has_one_layout(tmp_path: Path):
    folders = [fill(tmp_path / str(n), "{:05}.jpg", range(1, 4 + n)) for n in range(3)]
    layout = FrameLayout("{:05}.jpg", 1)
    assert detect_layout([tmp_path / "none", *folders]) == layout
    assert detect_layout(folders, expected=FrameLayout("{:05d}.jpg", 1)) == layout
    with pytest.raises(
        UserError, match=r"filename_tmpl \(img_\{:05\}.jpg\) and start_index \(1\) contradict .* \{:05\}.jpg from 1"
    ):
        detect_layout(folders, expected=FrameLayout("img_{:05}.jpg", 1))
    with pytest.raises(UserError, match=r"start_index \(0\) contradict"):
        detect_layout(folders, expected=FrameLayout("{:05}.jpg", 0))
    with pytest.raises(UserError, match="two ways"):
        detect_layout([*folders, fill(tmp_path / "other", "{:05}.jpg", range(4))])
    with pytest.raises(UserError, match=r"cannot be told .*missing"):
        detect_layout([tmp_path / "none"])


def test_frames_are_read_by_number(tmp_path: Path):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 10, 3), dtype=np.uint8)
    for number, image in enumerate(images, start=1):
        cv2.imwrite(str(tmp_path / f"img_{number:05d}.png"), image[..., ::-1])
    read = read_frames(tmp_path, "img_{:05}.png", [3, 1], finish=lambda image: image[:4])
    assert isinstance(read, np.ndarray)
    assert np.array_equal(read, images[[2, 0], :4])
    assert np.array_equal(read_frames(tmp_path, "img_{:05}.png", [3, 1]), images[[2, 0]])
    assert frame_size(tmp_path, "img_{:05}.png", 1) == (8, 10)
    with pytest.raises(DecodeError, match="img_00004.png cannot be decoded: missing"):
        read_frames(tmp_path, "img_{:05}.png", [4])
    with pytest.raises(DecodeError, match="missing"):
        frame_size(tmp_path, "img_{:05}.png", 4)
