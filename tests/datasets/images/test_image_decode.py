"""``decode_photo``: every kind of image as users expect it, and no damaged one."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.images.decode import decode_photo

JPEG = {"quality": 98, "subsampling": 0}


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Smooth colours ``(24, 40, 3)``, another in each corner."""
    corners = np.array([[[250, 10, 10], [10, 250, 10]], [[10, 10, 250], [240, 240, 20]]], np.uint8)
    return cv2.resize(corners, (40, 24), interpolation=cv2.INTER_LINEAR)


def close(image: np.ndarray, expected: np.ndarray, most: int = 12) -> bool:
    return image.shape == expected.shape and np.abs(image.astype(int) - expected).max() <= most


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "tif", "gif", "ppm", "jpg", "JPEG"])
def test_formats(tmp_path, picture, suffix):
    path = tmp_path / f"x.{suffix}"
    options = {"lossless": True} if suffix == "webp" else JPEG if suffix in ("jpg", "JPEG") else {}
    Image.fromarray(picture).save(path, **options)
    image = decode_photo(path)
    assert image.dtype == np.uint8
    assert close(image, picture, 0 if suffix in ("png", "bmp", "webp", "tif", "ppm") else 40 if suffix == "gif" else 12)


def test_a_png_that_is_called_jpeg(tmp_path, picture):
    """As one of ImageNet's training images is."""
    Image.fromarray(picture).save(tmp_path / "n02105855_2933.JPEG", format="PNG")
    np.testing.assert_array_equal(decode_photo(tmp_path / "n02105855_2933.JPEG"), picture)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_greyscale_becomes_three_equal_channels(tmp_path, picture, suffix):
    grey = Image.fromarray(picture).convert("L")
    grey.save(tmp_path / f"x.{suffix}")
    image = decode_photo(tmp_path / f"x.{suffix}")
    assert close(image, np.repeat(np.asarray(grey)[..., None], 3, axis=2))
    assert (image[..., 0] == image[..., 2]).all()


@pytest.mark.parametrize("backend", ["cv2", "simplejpeg"])
def test_cmyk_jpeg(tmp_path, picture, backend):
    if backend == "simplejpeg":
        pytest.importorskip("simplejpeg")
    path = tmp_path / "x.jpg"
    Image.fromarray(picture).convert("CMYK").save(path, quality=98)
    assert close(decode_photo(path, backend), picture, 25)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DecodeError, match="truncated"):
        decode_photo(path, backend)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, picture, suffix):
    grey = picture[..., 0].astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / f"grey.{suffix}"), grey)
    np.testing.assert_array_equal(decode_photo(tmp_path / f"grey.{suffix}")[..., 1], picture[..., 0])
    cv2.imwrite(str(tmp_path / f"color.{suffix}"), picture[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(decode_photo(tmp_path / f"color.{suffix}"), picture)


def test_palette_and_transparency(tmp_path, picture):
    Image.fromarray(picture).quantize(64).save(tmp_path / "palette.png")
    assert close(decode_photo(tmp_path / "palette.png"), picture, 40)
    rgba = np.dstack([picture, np.full(picture.shape[:2], 128, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "alpha.png")
    np.testing.assert_array_equal(decode_photo(tmp_path / "alpha.png"), picture)
    Image.fromarray(picture).convert("1").save(tmp_path / "bits.png")
    assert set(np.unique(decode_photo(tmp_path / "bits.png"))) == {0, 255}


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, picture, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else JPEG if suffix == "jpg" else {}
    Image.fromarray(picture).save(tmp_path / f"x.{suffix}", exif=exif, **options)
    turned = {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.transpose(1, 0, 2),
        6: np.rot90(picture, -1),
        7: picture[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(picture),
    }
    assert close(decode_photo(tmp_path / f"x.{suffix}"), turned[orientation])


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "GIF", "TIFF", "PPM", "JPEG"])
def test_no_part_of_a_file_may_be_missing(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, kind)
    data = buffer.getvalue()
    path = tmp_path / "x.img"
    path.write_bytes(data)
    whole = decode_photo(path)
    # a cut that takes padding or the end mark alone leaves all pixels
    for cut in {1, 2, 3, 8, 20, len(data) // 3, len(data) // 2, len(data) - 30, len(data) - 1}:
        path.write_bytes(data[:cut])
        try:
            image = decode_photo(path)
        except DecodeError:
            continue
        assert cut > len(data) - 3
        np.testing.assert_array_equal(image, whole)


def test_a_changed_bit_of_a_png_is_noticed(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    path = tmp_path / "x.png"
    for position in range(8, len(buffer.getvalue()), 5):
        data = bytearray(buffer.getvalue())
        data[position] ^= 0x10
        path.write_bytes(data)
        try:
            image = decode_photo(path)
        except DecodeError:
            continue
        np.testing.assert_array_equal(image, noise)
        assert position >= len(data) - 12  # in the frame of the end mark


def test_files_that_are_no_image(tmp_path):
    path = tmp_path / "x.png"
    with pytest.raises(DecodeError, match="missing"):
        decode_photo(path)
    with pytest.raises(DecodeError, match="not readable"):
        decode_photo(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(DecodeError, match="empty"):
        decode_photo(path)
    path.write_text("<html>not found</html>" * 9)
    with pytest.raises(DecodeError, match="not an image"):
        decode_photo(path)
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(DecodeError, match="floating point"):
        decode_photo(tmp_path / "float.tif")
    Image.fromarray(np.full((4, 4), 70000, np.int32)).save(tmp_path / "wide.tif")
    with pytest.raises(DecodeError, match="32 bits per channel"):
        decode_photo(tmp_path / "wide.tif")
