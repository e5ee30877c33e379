"""MMAction2's recognizers, testing any number of views in bounded memory.

A view is one crop of one clip. The views of a batch are preprocessed and scored a few at a time, so that neither the number of
clips and crops nor the batch size decides the memory.
"""

import logging
from collections.abc import Sequence

import torch
from mmaction.models import Recognizer2D, Recognizer3D
from mmaction.registry import MODELS
from mmengine.logging import print_log
from torch import Tensor

from .lazy_views import SampleViews, batch_samples

__all__ = ["ClipRecognizer2D", "ClipRecognizer3D"]

VIEWS_PER_FORWARD = 8


class _ViewsInChunks:
    """Scores views in chunks of ``test_cfg.views_per_forward`` (default 8), halved whenever memory runs out."""

    views_per_forward: int | None = None

    def val_step(self, data: dict) -> list:
        return self.test_step(data)

    def test_step(self, data: dict) -> list:
        """Score a batch.

        Args:
            data: ``inputs``, one uint8 tensor per sample with all its views or what ``LazyViews`` hands over, and
                ``data_samples``. Views of the latter are cut a chunk at a time.

        Returns:
            The data samples with ``pred_score`` (averaged over the sample's views as the head says) and ``pred_label``.
        """
        views = [self.split_views(sample) for sample in batch_samples(data["inputs"])]
        scores = self._score(_Chained(views)).split([len(sample) for sample in views])
        data_samples = self.data_preprocessor.cast_data(data["data_samples"])
        for sample_scores, data_sample in zip(scores, data_samples, strict=True):
            self.cls_head.predict_by_feat(sample_scores, [data_sample])
        return data_samples

    def split_views(self, sample: Tensor | SampleViews) -> Sequence[Tensor]:
        """Split a sample's input into its views."""
        raise NotImplementedError

    def _score(self, views: Sequence[Tensor]) -> Tensor:
        if self.views_per_forward is None:
            self.views_per_forward = (self.test_cfg or {}).get("views_per_forward", VIEWS_PER_FORWARD)
        scores, start = [], 0
        while start < len(views):
            chunk = [views[index] for index in range(start, min(start + self.views_per_forward, len(views)))]
            try:
                scores.append(self._score_chunk(chunk))
            except RuntimeError as error:
                if not _out_of_memory(error) or len(chunk) == 1:
                    raise
                self.views_per_forward = len(chunk) // 2
                print_log(f"Out of memory: testing goes on with {self.views_per_forward} views at a time.", "current", logging.WARNING)
                continue
            start += len(chunk)
        return torch.cat(scores)

    def _score_chunk(self, views: list[Tensor]) -> Tensor:
        data = self.data_preprocessor({"inputs": views, "data_samples": None}, training=False)
        features, head_args = self.extract_feat(data["inputs"], test_mode=True)
        return self.cls_head(features, **head_args)                             # (views, classes)


@MODELS.register_module()
class ClipRecognizer2D(_ViewsInChunks, Recognizer2D):
    """Recognizer of frames ``(views * T, C, H, W)`` with ``T`` the backbone's ``num_segments``."""

    def split_views(self, sample: Tensor | SampleViews) -> Sequence[Tensor]:
        num_segments = self.backbone.num_segments
        frames = len(sample.places) if isinstance(sample, SampleViews) else len(sample)
        if frames % num_segments:
            raise ValueError(f"num_segments ({num_segments}) must divide the frame count ({frames}); set it in the config.")
        if isinstance(sample, SampleViews):
            return _Grouped(sample, num_segments)
        return sample.unflatten(0, (-1, num_segments)).unbind()


@MODELS.register_module()
class ClipRecognizer3D(_ViewsInChunks, Recognizer3D):
    """Recognizer of clips ``(views, C, T, H, W)``."""

    def split_views(self, sample: Tensor | SampleViews) -> Sequence[Tensor]:
        if isinstance(sample, SampleViews):
            return _Grouped(sample, 1)
        return sample.unsqueeze(1).unbind()


class _Grouped(Sequence):
    """Every ``size`` images or clips of a sample, stacked: ``(size, ...)``, cut when asked for."""

    def __init__(self, views: SampleViews, size: int) -> None:
        self.views, self.size = views, size

    def __len__(self) -> int:
        return len(self.views) // self.size

    def __getitem__(self, index: int) -> Tensor:
        return self.views.cut(index * self.size, (index + 1) * self.size)


class _Chained(Sequence):
    """The items of several sequences, one sequence after the other."""

    def __init__(self, parts: Sequence[Sequence[Tensor]]) -> None:
        self.places = [(part, index) for part in parts for index in range(len(part))]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Tensor:
        part, place = self.places[index]
        return part[place]


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.cuda.OutOfMemoryError) or "can't allocate memory" in str(error)
