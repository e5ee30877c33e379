"""scikit-learn's handwritten digits as class folders of images: real data that needs no download.

1,797 greyscale images of 8x8 with 17 levels, 178 to 183 of each digit: the test part of "Optical Recognition of Handwritten
Digits" (Alpaydin and Kaynak, 1998). The split is drawn here, so that both parts hold all writers.
"""

import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np

from ..errors import UserError
from .preparation.split import split_stratified

__all__ = ["write_digits"]

_MOST = 16  # the highest level


def write_digits(output: Path, val_share: float = 0.2, seed: int = 0, force: bool = False) -> dict[str, int]:
    """Write ``<output>/{train,val}/<digit>/<number>.png``; the number is the image's place in scikit-learn's array.

    Args:
        val_share: Share of each digit that goes to validation, in 0..1.
        force: Replace ``train`` and ``val`` in a folder that has them.
    Returns:
        Images by split.
    Raises:
        UserError: If scikit-learn is not installed, the share is none, or the folder is in use.
    """
    if not 0 < val_share < 1:
        raise UserError(f"val_share ({val_share}) must lie between 0 and 1.")
    output = Path(output)
    parts = [output / split for split in ("train", "val")]
    if not force and any(part.exists() for part in parts):
        raise UserError(f"{output} has train or val already; replace both with --force, or choose another folder.")
    images, labels = _load()
    names = [(f"{number:04d}.png", str(label)) for number, label in enumerate(labels)]
    splits, _ = split_stratified(names, {"val": val_share}, seed)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".digits-", dir=output) as workspace:
        for (name, digit), image in zip(names, images, strict=True):
            path = Path(workspace, splits[name], digit, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
        for part in parts:  # all is written by now
            shutil.rmtree(part, ignore_errors=True)
            Path(workspace, part.name).replace(part)
    return {part.name: sum(split == part.name for split in splits.values()) for part in parts}


def _load() -> tuple[np.ndarray, np.ndarray]:
    """Images ``(N, 8, 8)`` uint8 in 0..255, and labels ``(N,)``."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UserError(
            "scikit-learn, which brings the digits, is not installed: pip install scikit-learn, or pip install -e '.[test]'."
        ) from error
    digits = load_digits()
    return np.rint(digits.images * (255 / _MOST)).astype(np.uint8), digits.target
