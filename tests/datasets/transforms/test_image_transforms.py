"""Steps for single images: sizes, places, and what they hand over; mmcv's by their scope."""

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmengine.registry import DefaultScope

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.errors import UserError
from cgc_video.testing.image_layouts import write_image


def build(kind: str, **options):
    with DefaultScope.overwrite_default_scope("mmaction"):
        return TRANSFORMS.build(dict(type=kind, **options))


@pytest.fixture
def ramp() -> np.ndarray:
    """``(30, 50, 3)``: red counts rows, green columns."""
    rows, columns = np.mgrid[:30, :50]
    return np.dstack([rows, columns, np.full_like(rows, 7)]).astype(np.uint8)


@pytest.fixture(autouse=True)
def _seeded_numpy():
    state = np.random.get_state()
    np.random.seed(0)
    yield
    np.random.set_state(state)


def test_load_and_pack(tmp_path):
    write_image(tmp_path / "x.png", (10, 20, 30), size=(6, 4))
    results = build("LoadImage")({"img_path": str(tmp_path / "x.png"), "label": 3})
    assert results["img_shape"] == results["ori_shape"] == (4, 6)
    packed = build("PackImage")(results)
    assert packed["inputs"].dtype == torch.uint8
    assert packed["inputs"].shape == (3, 4, 6)
    assert packed["inputs"][:, 0, 0].tolist() == [10, 20, 30]  # RGB
    sample = packed["data_samples"]
    assert int(sample.gt_label) == 3
    assert sample.img_path == str(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(DecodeError, match="x.png cannot be decoded: empty"):
        build("LoadImage")({"img_path": str(tmp_path / "x.png")})
    with pytest.raises(UserError, match=r"backend \(pil\) must be one of"):
        build("LoadImage", backend="pil")


def test_border(ramp):
    image = build("CropBorder", width=2)({"img": ramp})["img"]
    np.testing.assert_array_equal(image, ramp[2:28, 2:48])
    with pytest.raises(UserError, match=r"has no pixels inside a border of 15"):
        build("CropBorder", width=15)({"img": ramp, "img_path": "x.png"})


def test_random_crop_with_padding(ramp):
    step, seen = build("RandomCropImage", size=30, padding=4), set()
    for _ in range(60):
        image = step({"img": ramp})["img"]
        assert image.shape == (30, 30, 3)
        inside = image[..., 2] == 7
        top, left = np.argwhere(inside)[0]
        red, green = image[top, left, :2].astype(int)  # row and column of the first pixel that is no padding
        seen.add((red - top, green - left))
        rows, columns = (np.argwhere(inside) - (top, left)).T
        np.testing.assert_array_equal(image[inside][:, 0], rows + red)
        np.testing.assert_array_equal(image[inside][:, 1], columns + green)
        assert not image[~inside].any()
    places = np.array(sorted(seen))
    assert places.min(axis=0).tolist() == [-4, -4]
    assert places.max(axis=0)[0] == 4
    assert places.max(axis=0)[1] > 20
    with pytest.raises(UserError, match=r"size \(40\) must not exceed the image \(50x30"):
        build("RandomCropImage", size=40)({"img": ramp})


@pytest.mark.parametrize("backend", ["pillow", "cv2"])
def test_random_resized_crop(backend):
    rows, columns = np.mgrid[:240:4, :240:4]
    ramp = np.dstack([rows, columns, rows]).astype(np.uint8)
    step, areas, aspects = build("RandomResizedCropImage", size=16, backend=backend), [], []
    for _ in range(200):
        image = step({"img": ramp})["img"].astype(int)
        assert image.shape == (16, 16, 3)
        # of a ramp, the spread tells the size of the crop
        height, width = (np.ptp(image[..., channel]) / 4 * 16 / 15 for channel in (0, 1))
        areas.append(height * width / 60**2)
        aspects.append(width / height)
    assert 0.05 < min(areas) < 0.15
    assert 0.85 < max(areas) < 1.1
    assert abs(np.mean(areas) - 0.5) < 0.08
    assert 0.6 < min(aspects) < 0.85
    assert 1.2 < max(aspects) < 1.6


def test_a_smaller_image_is_an_average_with_pillow():
    """Stripes of a pixel each: every other one is lost without averaging."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::4] = 255
    image = build("RandomResizedCropImage", size=8, area_range=(1, 1), aspect_ratio_range=(1, 1))({"img": stripes})[
        "img"
    ]
    assert np.abs(image[:, 1:-1].astype(int) - 64).max() < 12


def test_steps_of_mmcv_under_their_scope(ramp):
    """MMAction2 has steps of the same names for clips."""
    results = {"img": ramp, "img_shape": ramp.shape[:2]}
    results = build("mmengine.Resize", scale=(100_000, 60), keep_ratio=True, backend="pillow")(results)
    assert results["img"].shape == (60, 100, 3)
    results = build("mmengine.CenterCrop", crop_size=48)(results)
    assert results["img"].shape == (48, 48, 3)
    flipped = build("RandomFlip", prob=1.0)({"img": ramp})["img"]
    np.testing.assert_array_equal(flipped, ramp[:, ::-1])
