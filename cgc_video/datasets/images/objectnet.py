"""``ObjectNet``: a test set for models that were trained on ImageNet."""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from mmaction.registry import DATASETS

from ...errors import UserError
from ..faults import FaultTolerant
from .base import Images
from .folders import holds_image, list_images

__all__ = ["ObjectNet", "SharedClass", "read_mappings"]


class SharedClass(NamedTuple):
    """A class of ObjectNet that ImageNet has, too.

    Attributes:
        outputs: Labels of the ImageNet classes (sorted WordNet IDs, from 0) that count as this class.
    """

    folder: str
    name: str
    outputs: list[int]


@DATASETS.register_module()
class ObjectNet(FaultTolerant, Images):
    """ObjectNet (Barbu et al., NeurIPS 2019) as shipped; of its 313 classes the 113 that overlap with ImageNet.

    Labels count these classes in the order of their folders. ``MappedAccuracy`` scores the 1,000 outputs of an ImageNet model
    by the metainfo ``class_map``. Each image has a red border of 2 pixels: crop it with ``CropBorder``.

    Args:
        data_root: The folder ``objectnet-1.0``, with ``images`` and ``mappings``.
        max_bad_share, skip_bad, bad_counts_as_wrong: See ``FaultTolerant``.

    Raises:
        UserError: If a mapping file or a class folder is missing, or they contradict each other.
    """

    def find_classes(self) -> None:
        self.folder = self.data_prefix["img_path"] = os.path.join(self.data_root, "images")
        self.classes = read_mappings(Path(self.data_root, "mappings"))
        # no "classes": those are the names of a model's outputs
        self._metainfo["mapped_classes"] = [each.name for each in self.classes]
        self._metainfo["class_map"] = [each.outputs for each in self.classes]

    def check_files(self, num_classes: int | None) -> None:
        most = max(max(each.outputs) for each in self.classes)
        if num_classes is not None and most >= num_classes:
            raise UserError(
                f"ObjectNet is for models of the 1,000 ImageNet classes (a class of it is output {most}), but "
                f"model.cls_head.num_classes is {num_classes}; give a model that was trained on ImageNet."
            )
        for each in self.classes:
            if not holds_image(os.path.join(self.folder, each.folder)):
                raise self._empty(each.folder)

    def _empty(self, name: str) -> UserError:
        return UserError(f"the class folder {self.folder}/{name} is missing or holds no image; unpack ObjectNet again.")

    def load_data_list(self) -> list[dict]:
        entries = []
        for label, each in enumerate(self.classes):
            folder = os.path.join(self.folder, each.folder)
            paths = list_images(folder) if os.path.isdir(folder) else []
            if not paths:
                raise self._empty(each.folder)
            entries += [{"img_path": os.path.join(folder, path), "label": label} for path in paths]
        return entries


def read_mappings(folder: Path) -> list[SharedClass]:
    """Read the four files of ObjectNet's ``mappings``, and return the overlapping classes by folder.

    - ``folder_to_objectnet_label.json``: folder to ObjectNet's name;
    - ``objectnet_to_imagenet_1k.json``: ObjectNet's name to ImageNet's names, parted by "; ", for the overlapping ones;
    - ``imagenet_to_label_2012_v2``: ImageNet's names, a line per class in the order of the challenge;
    - ``pytorch_to_imagenet_2012_id.json``: position among the sorted WordNet IDs to that line.
    """
    folders = _read_names(folder / "folder_to_objectnet_label.json")
    shared = _read_names(folder / "objectnet_to_imagenet_1k.json")
    lines = _read_text(folder / "imagenet_to_label_2012_v2").splitlines()
    line_of = _read_lines(folder / "pytorch_to_imagenet_2012_id.json")
    first = min(line_of.values(), default=0)  # lines count from 0 in the files as shipped
    if sorted(line_of.values()) != list(range(first, first + len(lines))):
        raise UserError(
            f"{folder}: imagenet_to_label_2012_v2 and pytorch_to_imagenet_2012_id.json do not fit each other."
        )
    outputs = defaultdict(list)
    for output, line in sorted(line_of.items()):
        outputs[lines[line - first].strip()].append(output)
    classes = []
    for name_of_folder, name in sorted(folders.items()):
        names = shared.get(name, "").split("; ") if name in shared else []
        if unknown := [imagenet for imagenet in names if imagenet not in outputs]:
            raise UserError(
                f"{folder}: {name} maps to {unknown[0]!r}, which is no ImageNet class; unpack ObjectNet again."
            )
        if names:
            classes.append(SharedClass(name_of_folder, name, sorted(o for each in names for o in outputs[each])))
    if lacking := sorted(set(shared) - {each.name for each in classes}):
        raise UserError(f"{folder}: {lacking[0]} overlaps with ImageNet but has no folder; unpack ObjectNet again.")
    if not classes:
        raise UserError(f"{folder} names no class that ImageNet has, too; unpack ObjectNet again.")
    return classes


def _read_names(path: Path) -> dict[str, str]:
    content = _read_json(path)
    odd = [name for name, value in content.items() if not isinstance(value, str)]
    if odd:
        raise UserError(f"{path}: {odd[0]!r} must have a name; unpack ObjectNet again.")
    return content


def _read_lines(path: Path) -> dict[int, int]:
    try:
        return {int(output): int(line) for output, line in _read_json(path).items()}
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} must map numbers to numbers; unpack ObjectNet again.") from error


def _read_json(path: Path) -> dict[str, Any]:
    text = _read_text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter of brackets within brackets within ...
        raise UserError(f"{path} is no JSON file ({error}); unpack ObjectNet again.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold a JSON object; unpack ObjectNet again.")
    return content


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} must be UTF-8 text, but {error.reason}; unpack ObjectNet again.") from error
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}; data_root must be the folder objectnet-1.0 as it is unpacked."
        ) from error
