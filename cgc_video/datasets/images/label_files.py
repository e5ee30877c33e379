"""Label files of a folder that holds all images side by side, as the official ImageNet validation images do.

- ``ILSVRC2012_validation_ground_truth.txt`` of the development kit: one number a line, for the images in the order of
  their names; the ``meta.mat`` beside it says which WordNet ID each number means.
- ``val.txt``, as Caffe and OpenMMLab have it: ``name label``, where labels count the sorted WordNet IDs from 0.
- ``LOC_val_solution.csv`` of Kaggle: ``ImageId,PredictionString``, the latter starting with the WordNet ID.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...errors import UserError
from ..lists import read_list
from ..pool import Failure, map_bounded
from .folders import list_images

__all__ = ["LABEL_FILES", "LabelledImage", "find_label_file", "read_label_file", "read_synsets"]

_DEVKIT = "ILSVRC2012_devkit_t12/data"
_GROUND_TRUTH = "ILSVRC2012_validation_ground_truth.txt"
# Where they are looked for, relative to the root of the data.
LABEL_FILES = (f"{_DEVKIT}/{_GROUND_TRUTH}", _GROUND_TRUTH, "val.txt", "meta/val.txt", "LOC_val_solution.csv")
_MOST_DIGITS = 9
_NUMBER = re.compile(r"(\d+)\.\w+$")


class LabelledImage(NamedTuple):
    """An image by its name in the folder, and its label: a number, or the name of a class."""

    name: str
    label: int | str


def find_label_file(roots: Sequence[str | Path], folder: str | Path) -> Path:
    """Find one of ``LABEL_FILES``.

    Args:
        roots: Folders to look in, the likeliest first.
        folder: The images, for the message.
    Raises:
        UserError: If none is there.
    """
    candidates = [Path(root, name) for root in roots for name in LABEL_FILES]
    if found := next((path for path in candidates if path.is_file()), None):
        return found
    raise UserError(
        f"{folder} holds no class folders, and no label file was found for it ({', '.join(LABEL_FILES)} in {roots[0]}); "
        "put one there, name it by ann_file, or sort the images into class folders."
    )


def read_label_file(path: str | Path, folder: str | Path) -> tuple[list[LabelledImage], list[str] | None]:
    """Read a label file of any of the three kinds.

    Args:
        folder: The images that it labels.
    Returns:
        One entry per image of the file, and all classes in label order where the file knows them.
    Raises:
        UserError: If the file cannot be read, breaks a rule, or does not fit the images.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        return _read_kaggle(path, list_images(folder)), None
    first = next((line for line in _read(path).splitlines() if line.strip()), "")
    if len(first.split()) == 1:
        return _read_ground_truth(path, list_images(folder))
    return [LabelledImage(entry["filename"], entry["label"]) for entry in read_list(path, "images")], None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the label file ({path}) cannot be read: {error}; check the path.") from error


def _read_ground_truth(path: Path, images: Sequence[str]) -> tuple[list[LabelledImage], list[str]]:
    lines = [line.strip() for line in _read(path).splitlines() if line.strip()]
    meta = _meta_file(path)
    wnids = read_synsets(meta)
    for number, line in enumerate(lines, start=1):
        if not line.isdecimal() or len(line) > _MOST_DIGITS or int(line) not in wnids:
            raise UserError(
                f"{path}, line {number} ({line!r}): not one of the numbers 1 to {len(wnids)} of {meta}; take both from one kit."
            )
    numbers = [int(match[1]) if (match := _NUMBER.search(name)) else None for name in images]
    if len(images) != len(lines):
        raise UserError(
            f"{path} labels {len(lines)} images, but their folder holds {len(images)}; unpack all of them, or give the label file "
            "that belongs to them."
        )
    if numbers != list(range(1, len(lines) + 1)):
        raise UserError(
            f"{path} labels images by their number, but they are not numbered 1 to {len(lines)} (the first is {images[0]}); keep "
            "their official names."
        )
    labelled = [LabelledImage(name, wnids[int(line)]) for name, line in zip(images, lines, strict=True)]
    return labelled, sorted(wnids.values())


def _meta_file(ground_truth: Path) -> Path:
    candidates = [ground_truth.with_name("meta.mat"), ground_truth.parent / _DEVKIT / "meta.mat"]
    if found := next((path for path in candidates if path.is_file()), None):
        return found
    raise UserError(
        f"{ground_truth} holds numbers whose meaning is in the development kit's meta.mat, which is not beside it; put it there."
    )


def read_synsets(path: str | Path) -> dict[int, str]:
    """The WordNet ID of each class number (``ILSVRC2012_ID``) in a ``meta.mat``; synsets above the classes are left out.

    Raises:
        UserError: If the file is something else.
    """
    # scipy's reader takes its process down over some damaged files
    ((_, found),) = map_bounded(_load_synsets, [str(path)])
    if isinstance(found, Failure):
        fault = found.reason
    elif not found or sorted(found) != list(range(1, len(found) + 1)):
        fault = f"its {len(found)} classes are not numbered from 1 on"
    else:
        return found
    raise UserError(f"{path} is not the meta.mat of the ILSVRC 2012 development kit ({fault}); unpack the kit again.")


def _load_synsets(path: str) -> dict[int, str]:
    from scipy.io import loadmat  # takes a while, and only this layout needs it

    rows = loadmat(path, squeeze_me=True)["synsets"].ravel()
    return {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in rows if int(row["num_children"]) == 0}


def _read_kaggle(path: Path, images: Sequence[str]) -> list[LabelledImage]:
    by_id = {Path(name).stem: name for name in images}
    labelled = []
    reader = csv.DictReader(_read(path).splitlines())
    try:
        for row in reader:
            name, answer = row.get("ImageId"), (row.get("PredictionString") or "").split()
            if not name or not answer:
                raise UserError(
                    f"{path}, line {reader.line_num}: not of the columns ImageId,PredictionString; give Kaggle's LOC_val_solution.csv."
                )
            labelled.append(LabelledImage(by_id.get(name, f"{name}.JPEG"), answer[0]))
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}; give Kaggle's LOC_val_solution.csv.") from error
    if not labelled:
        raise UserError(f"the label file ({path}) is empty; it needs one line per image.")
    return labelled
