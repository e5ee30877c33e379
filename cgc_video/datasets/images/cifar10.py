"""``CIFAR10``: the official archive, held in memory."""

from typing import Any

from mmaction.registry import DATASETS

from ...errors import UserError
from .base import Images, check_class_count
from .cifar_archive import CLASSES, FILES, find_cifar10, read_cifar10

__all__ = ["CIFAR10"]


@DATASETS.register_module()
class CIFAR10(Images):
    """CIFAR-10 (Krizhevsky 2009): 50,000 training and 10,000 test images of 32x32 in 10 classes.

    Samples have ``img`` ``(32, 32, 3)`` uint8 RGB instead of a file, so that no decoding step is needed.

    Args:
        data_root: Folder of ``cifar-10-python.tar.gz``, or of ``cifar-10-batches-py`` unpacked from it.
        split: ``"train"`` or ``"test"``.

    Raises:
        UserError: If the files are missing or not the official ones.
    """

    METAINFO = {"classes": list(CLASSES)}

    def __init__(self, data_root: str, split: str = "train", **kwargs: Any) -> None:
        if split not in FILES:
            raise UserError(f"split ({split}) must be one of {list(FILES)}.")
        self.split = split
        super().__init__(data_root=data_root, **kwargs)

    def check_files(self, num_classes: int | None) -> None:
        find_cifar10(self.data_root)
        check_class_count(len(CLASSES), num_classes, f"CIFAR-10 has {len(CLASSES)} classes")

    def load_data_list(self) -> list[dict]:
        # beside the list, which is kept as pickles
        self.images, labels = read_cifar10(self.data_root, self.split)
        return [{"row": row, "label": label} for row, label in enumerate(labels.tolist())]

    def get_data_info(self, idx: int) -> dict:
        info = super().get_data_info(idx)
        row = info.pop("row")
        image = self.images[row].copy()  # transforms may work in place
        info.update(img=image, img_path=f"{self.split}/{row}", img_shape=image.shape[:2], ori_shape=image.shape[:2])
        return info
