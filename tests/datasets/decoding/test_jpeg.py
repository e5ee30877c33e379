"""One image, one policy, whichever library decodes it."""

import importlib.util
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.decoding.jpeg import choose_jpeg_backend, decode_image, jpeg_size
from cgc_video.datasets.decoding.libjpeg_warnings import LIBJPEG_WARNINGS
from cgc_video.errors import UserError

HAS_SIMPLEJPEG = importlib.util.find_spec("simplejpeg") is not None
needs_simplejpeg = pytest.mark.skipif(not HAS_SIMPLEJPEG, reason="simplejpeg, an optional package, is not installed")
both = pytest.mark.parametrize("backend", ["cv2", pytest.param("simplejpeg", marks=needs_simplejpeg)])


@pytest.fixture(scope="module")
def data() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (192, 260, 3), dtype=np.uint8)
    _, encoded = cv2.imencode(".jpg", cv2.GaussianBlur(noise, (15, 15), 4))
    return encoded.tobytes()


def turned(data: bytes, orientation: int) -> bytes:
    """Put an EXIF orientation into a JPEG."""
    entry = b"\x12\x01\x03\0\x01\0\0\0" + bytes([orientation, 0, 0, 0])
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + bytes(4)
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


@both
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_come_out_upright(backend: str, orientation: int, data: bytes, tmp_path: Path):
    path = tmp_path / "image.jpg"
    path.write_bytes(turned(data, orientation))
    expected = cv2.imread(str(path))[..., ::-1]
    image = decode_image(path, backend)
    assert np.array_equal(image, expected)
    assert jpeg_size(path) == image.shape[:2] == ((192, 260) if orientation < 5 else (260, 192))


DAMAGES = {
    "truncated": lambda data: data[: len(data) // 2],
    "no_end": lambda data: data[:-2],
    "hole": lambda data: data[: len(data) // 2] + bytes(300) + data[len(data) // 2 + 300 :],
    "lost": lambda data: data[: len(data) // 2] + data[len(data) * 3 // 4 :],
    "text": lambda data: b"no image at all",
    "empty": lambda data: b"",
}


@both
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_image_is_an_error(backend: str, damage: str, data: bytes, tmp_path: Path, capfd):
    path = tmp_path / "image.jpg"
    path.write_bytes(DAMAGES[damage](data))
    reasons = {"no_end": "truncated", "hole": "damaged", "lost": "damaged", "text": "not an image"}
    with pytest.raises(DecodeError, match=reasons.get(damage, damage)) as caught:
        decode_image(path, backend)
    assert caught.value.path == str(path)
    assert capfd.readouterr().err == ""  # libjpeg's own line is in the error instead


@both
def test_a_missing_image_is_an_error(backend: str, tmp_path: Path):
    with pytest.raises(DecodeError, match="missing"):
        decode_image(tmp_path / "none.jpg", backend)


@both
def test_bytes_behind_the_image_do_no_harm(backend: str, data: bytes, tmp_path: Path):
    (tmp_path / "image.jpg").write_bytes(data + bytes(100))
    assert decode_image(tmp_path / "image.jpg", backend).shape == (192, 260, 3)


def test_other_lines_on_the_standard_error_stream_are_passed_on(capfd):
    with LIBJPEG_WARNINGS as warnings:
        os.write(2, b"something else\n")
        os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
    assert warnings.text == "Corrupt JPEG data: premature end of data segment"
    assert capfd.readouterr().err == "something else\n"


@both
@pytest.mark.parametrize(
    ("at_least", "size"), [((96, 130), (96, 130)), ((97, 20), (192, 260)), ((24, 32), (24, 33)), ((48, 1), (48, 65))]
)
def test_a_reduced_size_is_never_smaller_than_asked_for(backend: str, at_least, size, data: bytes, tmp_path: Path):
    path = tmp_path / "image.jpg"
    path.write_bytes(data)
    small = decode_image(path, backend, at_least)
    assert small.shape[:2] == size
    resized = cv2.resize(decode_image(path, backend), size[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - resized).mean() < 2


@both
def test_png_is_read_too(backend: str, tmp_path: Path):
    image = np.random.default_rng(0).integers(0, 256, (10, 12, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "image.png"), image[..., ::-1])
    assert np.array_equal(decode_image(tmp_path / "image.png", backend, at_least=(1, 1)), image)
    assert jpeg_size(tmp_path / "image.png") == (10, 12)


def test_the_back_end_is_chosen():
    assert choose_jpeg_backend() == ("simplejpeg" if HAS_SIMPLEJPEG else "cv2")
    with pytest.raises(UserError, match=r"\(turbo\) must be one of"):
        choose_jpeg_backend("turbo")
    if not HAS_SIMPLEJPEG:
        with pytest.raises(UserError, match="pip install simplejpeg"):
            choose_jpeg_backend("simplejpeg")


@both
def test_a_reduced_image_on_its_side(backend: str, data: bytes, tmp_path: Path):
    path = tmp_path / "image.jpg"
    path.write_bytes(turned(data, 6))
    assert decode_image(path, backend, (130, 96)).shape[:2] == (130, 96)
    assert decode_image(path, backend, (96, 130)).shape[:2] == (260, 192)


@both
@pytest.mark.parametrize("orientation", [1, 6])
def test_memory_is_taken_again_where_it_suffices(backend: str, orientation: int, data: bytes, tmp_path: Path):
    path = tmp_path / "image.jpg"
    path.write_bytes(turned(data, orientation))
    expected = decode_image(path, backend)
    for size in [(192, 260), (260, 300), (20, 30)]:
        memory = np.zeros((*size, 3), np.uint8)
        image = decode_image(path, backend, memory=memory)
        assert np.array_equal(image, expected)
        assert np.shares_memory(image, memory) == (backend == "simplejpeg" and orientation == 1 and size[0] > 100)
    small = decode_image(path, backend, (90, 90), np.zeros((100, 140, 3), np.uint8))
    assert np.array_equal(small, decode_image(path, backend, (90, 90)))


def test_the_orientation_is_found_behind_other_segments(data: bytes, tmp_path: Path):
    """And nothing in the pixels is taken for one."""
    comment = b"\xff\xfe\x00\x08Exif\0\0"
    image = turned(data, 6)
    (tmp_path / "image.jpg").write_bytes(image[:2] + comment + image[2:])
    assert jpeg_size(tmp_path / "image.jpg") == (260, 192)
    (tmp_path / "image.jpg").write_bytes(data[:2] + comment + data[2:])
    assert jpeg_size(tmp_path / "image.jpg") == (192, 260)
    (tmp_path / "image.jpg").write_bytes(data[:20])
    with pytest.raises(DecodeError, match="truncated"):
        jpeg_size(tmp_path / "image.jpg")
