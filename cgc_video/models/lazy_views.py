"""The model's side of ``LazyViews``: views are cut from uint8 frames on the device, all at once or in chunks."""

from collections.abc import Sequence

import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.registry import MODELS
from torch import Tensor

__all__ = ["LazyViewsPreprocessor", "SampleViews", "batch_samples", "is_lazy", "lazy_samples"]


def batch_samples(inputs) -> Sequence:
    """The samples of a batch: tensors of all their views, or ``SampleViews``."""
    return lazy_samples(inputs) if is_lazy(inputs) else inputs


def is_lazy(inputs) -> bool:
    """Whether the inputs of a batch are what ``LazyViews`` hands over: a dictionary of lists, one entry per sample."""
    return isinstance(inputs, dict) and "frame_places" in inputs


def lazy_samples(inputs: dict) -> list["SampleViews"]:
    """The samples of a batch for which ``is_lazy`` holds."""
    columns = (inputs["frames"], inputs["frame_places"], inputs["boxes"])
    return [SampleViews(*sample) for sample in zip(*columns, strict=True)]


class SampleViews(Sequence):
    """The views of one sample, uint8, cut when they are asked for.

    Item ``i`` is view ``i``: an image ``(3, h, w)``, or a clip ``(3, T, h, w)``. Views run over the crops and, within a crop, over the clips, as behind ``ThreeCrop`` and ``FormatShape``.

    Args:
        frames: ``(U, H, W, 3)`` uint8.
        places: ``(M,)`` (a view is an image) or ``(clips, T)`` (a view is a clip).
        boxes: ``(crops, 4)``: left, top, right, bottom, all of one size.
    """

    def __init__(self, frames: Tensor, places: Tensor, boxes: Tensor) -> None:
        self.frames, self.places = frames, places
        self.boxes: list[list[int]] = boxes.tolist()

    @property
    def shape(self) -> tuple[int, ...]:
        """``(V, 3, h, w)`` or ``(V, 3, T, h, w)``: the shape of all views together."""
        left, top, right, bottom = self.boxes[0]
        return (len(self), 3, *self.places.shape[1:], bottom - top, right - left)

    def __len__(self) -> int:
        return len(self.boxes) * len(self.places)

    def __getitem__(self, index: int) -> Tensor:
        if not 0 <= index < len(self):
            raise IndexError(f"view ({index}) must lie in 0 to {len(self) - 1}.")
        return self.cut(index, index + 1)[0]

    def cut(self, start: int, stop: int) -> Tensor:
        """Views ``start`` to ``stop`` (not included), of ``shape`` but for their number.

        Strides are those of images, channels last: turning bytes around takes longer than all else here, and the conversion to
        floating point that follows does it on the way.
        """
        parts = []
        per_crop = len(self.places)
        for number, (left, top, right, bottom) in enumerate(self.boxes):
            first, last = max(start - number * per_crop, 0), min(stop - number * per_crop, per_crop)
            if first < last:
                places = self.places[first:last]
                images = self.frames.index_select(0, places.flatten()).unflatten(0, places.shape)  # whole frames: long runs of bytes
                parts.append(images[..., top:bottom, left:right, :].movedim(-1, 1))
        if not parts:
            return self.frames.new_empty((0, *self.shape[1:]))
        return parts[0] if len(parts) == 1 else torch.cat(parts)


@MODELS.register_module()
class LazyViewsPreprocessor(ActionDataPreprocessor):
    """MMAction2's ``ActionDataPreprocessor`` that also takes what ``LazyViews`` hands over, for any recognizer; other inputs go the usual way.

    It cuts all views at once. ``ClipRecognizer2D`` and ``ClipRecognizer3D`` do not need it: they cut a few views at a time.
    """

    def preprocess(self, inputs, data_samples, training: bool = False) -> tuple:
        """As the base class; ``inputs`` may be a dictionary of lists with the keys of ``LazyViews``."""
        if not is_lazy(inputs):
            return super().preprocess(inputs, data_samples, training)
        samples = [views.cut(0, len(views)) for views in lazy_samples(inputs)]
        return super().preprocess(samples, data_samples, training)
