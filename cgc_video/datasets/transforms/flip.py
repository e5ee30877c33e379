"""Mirror clips, and their labels with them."""

from collections.abc import Sequence
from typing import Any

from mmaction.datasets.transforms import Flip
from mmaction.registry import TRANSFORMS

from ...errors import UserError
from ..labels import flip_label_map, one_sided_classes
from ..lists import read_classes

__all__ = ["FlipByName"]


@TRANSFORMS.register_module()
class FlipByName(Flip):
    """``Flip`` that exchanges the labels of mirrored classes, which it finds by the words "left" and "right".

    The names come from the data set (``ListedVideos`` and ``ListedFrames`` hand them over) or from ``classes``, so the map
    fits whatever order the labels have. A class with a side in its name and no mirrored partner is never mirrored, as
    the mirrored clip has no label then; ``flip_one_sided=True`` mirrors it under its own label, as ``Flip`` would.

    Args:
        classes: Class names in label order, or a class file.
        kwargs: Arguments of ``Flip``; ``direction`` must be horizontal.
    """

    def __init__(
        self,
        flip_ratio: float = 0.5,
        classes: Sequence[str] | str | None = None,
        flip_one_sided: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(flip_ratio=flip_ratio, **kwargs)
        if self.direction != "horizontal":
            raise ValueError(
                f"direction ({self.direction}) must be 'horizontal': left and right are what it exchanges."
            )
        if self.flip_label_map is not None:
            raise ValueError("flip_label_map comes from the class names here; use Flip to give one.")
        self.flip_one_sided = flip_one_sided
        self._one_sided: frozenset[int] = frozenset()
        self._given = classes is not None
        if classes is not None:
            self._set_names(read_classes(classes) if isinstance(classes, str) else list(classes))

    def use_classes(self, names: Sequence[str]) -> None:
        """Take the names of the data set, unless the config gave some."""
        if not self._given:
            self._set_names(names)

    def _set_names(self, names: Sequence[str]) -> None:
        self.flip_label_map = flip_label_map(names)
        self._one_sided = frozenset(one_sided_classes(names))

    def transform(self, results: dict) -> dict:
        if self.flip_label_map is None:
            raise UserError(
                "FlipByName needs class names; put classes.txt beside the list of a ListedVideos or ListedFrames data set, "
                "or give classes=<class file>."
            )
        if self.flip_one_sided or results["label"] not in self._one_sided:
            return super().transform(results)
        ratio, self.flip_ratio = self.flip_ratio, 0.0
        try:
            return super().transform(results)
        finally:
            self.flip_ratio = ratio

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, flip_one_sided={self.flip_one_sided})"
