"""``write_digits``: scikit-learn's images, split class by class, the same every time."""

import cv2
import numpy as np
import pytest

from cgc_video.datasets.digits import write_digits
from cgc_video.errors import UserError

sklearn_datasets = pytest.importorskip("sklearn.datasets")


def numbers(folder) -> dict[int, set[int]]:
    """Numbers of the images by digit."""
    return {int(digit.name): {int(path.stem) for path in digit.iterdir()} for digit in folder.iterdir()}


def test_all_images_once_under_their_digit(tmp_path):
    counts = write_digits(tmp_path / "digits")
    assert counts == {"train": 1438, "val": 359}
    train, val = numbers(tmp_path / "digits" / "train"), numbers(tmp_path / "digits" / "val")
    data = sklearn_datasets.load_digits()
    for digit in range(10):
        assert train[digit].isdisjoint(val[digit])
        assert train[digit] | val[digit] == set(np.flatnonzero(data.target == digit).tolist())
        assert len(val[digit]) == round(0.2 * (data.target == digit).sum())
    for number in (0, 999, 1796):
        (path,) = (tmp_path / "digits").glob(f"*/{data.target[number]}/{number:04d}.png")
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(np.rint(image * (16 / 255)), data.images[number])


def test_a_seed_names_a_split(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_digits(tmp_path / name, seed=seed)
    assert numbers(tmp_path / "a" / "val") == numbers(tmp_path / "b" / "val") != numbers(tmp_path / "c" / "val")


def test_no_image_of_another_split_stays(tmp_path):
    """Or one of them could be in training and in validation."""
    write_digits(tmp_path, seed=0)
    with pytest.raises(UserError, match="has train or val already; replace both with --force"):
        write_digits(tmp_path, seed=1)
    write_digits(tmp_path, seed=1, force=True)
    assert sum(1 for _ in tmp_path.rglob("*.png")) == 1797
    assert {path.name for path in tmp_path.iterdir()} == {"train", "val"}


def test_a_share_that_is_none(tmp_path):
    for share in (0, 1, -0.5):
        with pytest.raises(UserError, match="must lie between 0 and 1"):
            write_digits(tmp_path, val_share=share)
