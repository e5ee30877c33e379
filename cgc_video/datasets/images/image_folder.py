"""``ImageFolder``: ImageNet in each of its layouts, and any other folder of class folders."""

import logging
import os
from typing import Any

from mmaction.registry import DATASETS
from mmengine.logging import print_log

from ...errors import UserError
from ..faults import FaultTolerant
from ..lists import read_classes
from .base import Images, check_class_count
from .folders import class_folders, holds_image, list_images
from .label_files import LabelledImage, find_label_file, read_label_file

__all__ = ["ImageFolder"]

_PROBED = 20  # entries of a label file that are looked up; one of another copy of the data misses all of them


@DATASETS.register_module()
class ImageFolder(FaultTolerant, Images):
    """Images in class folders, or all in one folder with a label file (see ``label_files``).

    Labels count the sorted names of the class folders from 0; for ImageNet these are WordNet IDs, in the order of all
    published weights.

    Args:
        data_prefix: ``dict(img_path="train")``: the folder of the images, relative to ``data_root``.
        ann_file: A label file. Left out, the folder's own class folders are the labels; if it has none, the label file
            is looked for by its official names in ``data_root`` and beside the folder.
        classes_from: A folder, relative to ``data_root``, whose class folders define the classes: those of training,
            so that validation agrees with them. Where it is not there (a test without training data), the images' own are.
        class_file: Names of the classes, one per line in label order; by default the names of the class folders.
        max_bad_share, skip_bad, bad_counts_as_wrong: See ``FaultTolerant``.

    Attributes:
        classes: What the labels stand for, in label order; None where a ``name label`` list is all there is.

    Raises:
        UserError: If the folder, its class folders and its label file do not fit each other.
    """

    def __init__(
        self, *args: Any, classes_from: str | None = None, class_file: str | None = None, **kwargs: Any
    ) -> None:
        self.classes_from, self.class_file = classes_from, class_file
        super().__init__(*args, **kwargs)

    def find_classes(self) -> None:
        self.folder = self.data_prefix["img_path"]
        self._folders = class_folders(self.folder)
        self._labelled: list[LabelledImage] | None = None
        classes = self._folders
        if self.ann_file or not self._folders:
            found = self._read_labels()
            classes = classes or found
        shared = os.path.join(self.data_root, self.classes_from) if self.classes_from else ""
        self._shared = shared if os.path.isdir(shared) else None
        if self._shared:
            classes = class_folders(shared)
        self.classes: list[str] | None = classes or None
        self._check_known()
        if not self._metainfo.get("classes") and (names := self._names()):
            self._metainfo["classes"] = names

    def _read_labels(self) -> list[str]:
        """Read the label file; return the classes as far as it knows them."""
        beside = os.path.dirname(os.path.abspath(self.folder))
        self.ann_file = self.ann_file or str(find_label_file([self.data_root or beside, beside], self.folder))
        self._labelled, classes = read_label_file(self.ann_file, self.folder)
        return classes or sorted({image.label for image in self._labelled if isinstance(image.label, str)})

    def _check_known(self) -> None:
        """The images may be of no class that the model is not trained for."""
        known, where = set(self.classes or ()), self.ann_file or self.folder
        used = self._folders if self._labelled is None else [image.label for image in self._labelled]
        if unknown := next((name for name in used if isinstance(name, str) and name not in known), None):
            raise UserError(
                f"{where} has the class {unknown}, which is none of the {len(known)} class folders of {self.classes_from}; "
                "both must be of the same data."
            )

    def _names(self) -> list[str] | None:
        if self.class_file is None:
            return self.classes
        path = os.path.join(self.data_root, self.class_file)
        names = read_classes(path)
        if self.classes is None:
            return names
        if len(names) != len(self.classes):
            raise UserError(
                f"class_file ({path}) names {len(names)} classes, but the data has {len(self.classes)}; give one name per class."
            )
        first_words = [name.split()[0] for name in names]
        if first_words != self.classes and set(first_words) == set(self.classes):
            raise UserError(
                f"class_file ({path}) names the classes in another order than that of their folders; sort its lines."
            )
        return names

    def check_files(self, num_classes: int | None) -> None:
        if self.classes is not None:
            where = self.ann_file if self._labelled is not None else self._shared or self.folder
            check_class_count(len(self.classes), num_classes, f"{where} has {len(self.classes)} classes")
        if self._labelled is None:
            for name in self._folders:
                if not holds_image(os.path.join(self.folder, name)):
                    raise self._empty(name)
        else:
            self._check_labels(self._labelled, num_classes)

    def _check_labels(self, labelled: list[LabelledImage], num_classes: int | None) -> None:
        most = max((image.label for image in labelled if isinstance(image.label, int)), default=-1)
        if num_classes is not None and most >= num_classes:
            raise UserError(
                f"{self.ann_file} holds the label {most}, which must be under model.cls_head.num_classes ({num_classes}); labels "
                "count from 0."
            )
        probed = [os.path.join(self.folder, image.name) for image in labelled[:_PROBED]]
        if not any(map(os.path.exists, probed)):
            raise UserError(
                f"none of the first {len(probed)} images of {self.ann_file} exists, the first being {probed[0]}; give the label file "
                "that belongs to the folder."
            )

    def _tell_unlabelled(self, labelled: list[LabelledImage]) -> None:
        names = {image.name for image in labelled}
        if left := [name for name in list_images(self.folder) if name not in names]:
            print_log(
                f"{self.ann_file} labels {len(names)} images; {len(left)} others of {self.folder} are left out ({left[0]} for one).",
                logger="current",
                level=logging.WARNING,
            )

    def _empty(self, name: str) -> UserError:
        folder = os.path.join(self.folder, name)
        return UserError(f"the class folder {folder} holds no image; fill it, or remove it and correct num_classes.")

    def load_data_list(self) -> list[dict]:
        number = {name: label for label, name in enumerate(self.classes or ())}
        if self._labelled is not None:
            self._tell_unlabelled(self._labelled)
            return [
                {"img_path": os.path.join(self.folder, name), "label": number.get(label, label)}
                for name, label in self._labelled
            ]
        if lacking := sorted(set(number) - set(self._folders)):
            print_log(
                f"{self.folder} has no images of {len(lacking)} of the {len(number)} classes ({lacking[0]} for one).",
                logger="current",
                level=logging.WARNING,
            )
        entries = []
        for name in self._folders:
            folder = os.path.join(self.folder, name)
            paths = list_images(folder)
            if not paths:
                raise self._empty(name)
            entries += [{"img_path": os.path.join(folder, path), "label": number[name]} for path in paths]
        return entries
