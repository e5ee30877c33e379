"""Load a trained recognizer or classifier, and name what videos and images show."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from cgc_video.datasets.decoding.video import VideoFile
from cgc_video.engine.trained import load_trained
from cgc_video.errors import UserError

from .sources import Source, SourcePipeline, open_source

__all__ = ["Moment", "Prediction", "Recognizer", "load_recognizer", "predict", "predict_many", "predict_over_time"]

BATCH_SIZE = 4


@dataclass(frozen=True)
class Prediction:
    """A class and its probability, averaged over the views of the test pipeline."""

    label: int
    name: str
    probability: float


@dataclass(frozen=True)
class Moment:
    """What a stretch of a video shows; ``start`` and ``stop`` (not included) count frames, ``fps`` makes them seconds."""

    start: int
    stop: int
    fps: float
    predictions: list[Prediction]


@dataclass
class Recognizer:
    """A model in evaluation mode, its test pipeline and its class names in label order."""

    model: nn.Module
    pipeline: SourcePipeline
    class_names: list[str]


def load_recognizer(config: str | Config, checkpoint: str, device: str = "cpu") -> Recognizer:
    """Build a config's model and load a checkpoint of it.

    Args:
        config: Path of a config, or a loaded one. Its test pipeline says how many clips and crops are scored.
        checkpoint: A ``.pth`` file of that model.

    Raises:
        UserError: If a file is missing, or the checkpoint is of another model.
    """
    trained = load_trained(config, checkpoint, device)
    with DefaultScope.overwrite_default_scope(trained.cfg.default_scope):
        pipeline = SourcePipeline(trained.cfg.test_dataloader.dataset.pipeline)
    return Recognizer(trained.model, pipeline, trained.class_names)


def predict(recognizer: Recognizer, source: Source, top_k: int = 5) -> list[Prediction]:
    """Score one source.

    Args:
        source: A video file, a folder of frames, frames ``(T, H, W, 3)`` uint8 RGB; for a classifier, an image file or an image ``(H, W, 3)``. A
            video that is shorter than a clip is looped, as in testing.
        top_k: How many classes to return, most probable first; all if there are fewer.

    Raises:
        UserError: If the source is missing or cannot be decoded.
    """
    return _score(recognizer, [recognizer.pipeline(source)], top_k)[0]


def predict_many(
    recognizer: Recognizer, sources: Sequence[Source], top_k: int = 5, batch_size: int = BATCH_SIZE, workers: int = 2
) -> Iterator[tuple[Source, list[Prediction] | UserError]]:
    """Score many sources, decoding ahead while the network runs.

    Args:
        batch_size: Sources per call of the network.
        workers: Threads that decode; they hold at most ``workers + batch_size`` samples.

    Yields:
        Each source in its turn, with its predictions, or with the error of one that is missing or cannot be decoded.
    """
    if batch_size < 1 or workers < 1:
        raise UserError(f"batch_size ({batch_size}) and workers ({workers}) must be at least 1.")
    batch: list[tuple[Source, dict | UserError]] = []
    for pair in _decoded_ahead(recognizer.pipeline, sources, workers + batch_size, workers):
        batch.append(pair)
        if len(batch) == batch_size:
            yield from _score_batch(recognizer, batch, top_k)
            batch = []
    yield from _score_batch(recognizer, batch, top_k)


def predict_over_time(
    recognizer: Recognizer, source: Source, window: float, stride: float | None = None, top_k: int = 5
) -> Iterator[Moment]:
    """Score a long video by a sliding window. Memory holds the frames that the pipeline samples from one window.

    Args:
        window: Length in seconds; in frames where the source does not say how many frames a second has.
        stride: From the start of a window to that of the next; by default half of ``window``.

    Yields:
        A moment per window, the last of which ends with the video.

    Raises:
        UserError: If the source cannot be decoded, or an argument is not positive.
    """
    stride = window / 2 if stride is None else stride
    if window <= 0 or stride <= 0:
        raise UserError(f"window ({window}) and stride ({stride}) must be more than 0.")
    if recognizer.pipeline.takes_images:
        raise UserError("this model takes images, which have no time; give a model for videos.")
    with open_source(source) as video:
        for start, stop in _windows(video, window, stride):
            sample = recognizer.pipeline.of_video(video, start, stop)
            yield Moment(start, stop, video.fps, _score(recognizer, [sample], top_k)[0])


def _windows(video: VideoFile, window: float, stride: float) -> Iterator[tuple[int, int]]:
    rate = video.fps or 1.0
    length, start, number = max(1, round(window * rate)), 0, 0
    while start + length < video.num_frames:
        yield start, start + length
        number += 1
        start = max(start + 1, round(number * stride * rate))
    yield max(0, min(start, video.num_frames - length)), video.num_frames


def _decoded_ahead(
    pipeline: SourcePipeline, sources: Sequence[Source], ahead: int, workers: int
) -> Iterator[tuple[Source, dict | UserError]]:
    waiting: deque[tuple[Source, Future]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for source in sources:
                waiting.append((source, pool.submit(_sample_or_error, pipeline, source)))
                if len(waiting) >= ahead:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _sample_or_error(pipeline: SourcePipeline, source: Source) -> dict[str, Any] | UserError:
    try:
        return pipeline(source)
    except UserError as error:
        return error


def _score_batch(recognizer: Recognizer, batch: list[tuple[Source, Any]], top_k: int) -> Iterator[tuple[Source, Any]]:
    samples = [sample for _, sample in batch if not isinstance(sample, UserError)]
    scored = iter(_score(recognizer, samples, top_k))
    for source, sample in batch:
        yield source, sample if isinstance(sample, UserError) else next(scored)


@torch.no_grad()
def _score(recognizer: Recognizer, samples: list[dict[str, Any]], top_k: int) -> list[list[Prediction]]:
    if top_k < 1:
        raise UserError(f"top_k ({top_k}) must be at least 1.")
    if not samples:
        return []
    results = recognizer.model.test_step(pseudo_collate(samples))
    return [_best(result.pred_score, recognizer.class_names, top_k) for result in results]


def _best(probabilities: Tensor, names: list[str], top_k: int) -> list[Prediction]:
    scores, labels = probabilities.topk(min(top_k, len(probabilities)))
    return [
        Prediction(label, names[label], score) for label, score in zip(labels.tolist(), scores.tolist(), strict=True)
    ]
