"""What the image data sets share."""

from typing import Any

from mmengine.dataset import BaseDataset

from ...errors import UserError
from ..sample_seeds import SeededSamples

__all__ = ["Images", "check_class_count"]


class Images(SeededSamples, BaseDataset):
    """A data set of images with one label each.

    A subclass says by ``check_files`` what can be said before the model is built; ``lazy_init`` leaves the listing of files
    out until then.

    Attributes:
        unit: What reports call a sample.
    """

    unit = "image"

    def __init__(self, *args: Any, lazy_init: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, lazy_init=True, **kwargs)
        self.find_classes()
        if not lazy_init:
            self.full_init()

    def find_classes(self) -> None:
        """Look up the classes, without listing the images, and put their names into the metainfo."""

    def check_files(self, num_classes: int | None) -> None:
        """Look whether the files are there and fit a model.

        Args:
            num_classes: Outputs of the model, where known.
        Raises:
            UserError: If not; says what is wrong.
        """
        raise NotImplementedError


def check_class_count(found: int, num_classes: int | None, source: str) -> None:
    """Classes of the data and outputs of the model must be as many.

    Args:
        source: Where the classes are, for the message: ``"data/imagenet/train holds 999 class folders"``.
    """
    if num_classes is not None and found != num_classes:
        raise UserError(f"{source}, but model.cls_head.num_classes is {num_classes}; make them equal.")
