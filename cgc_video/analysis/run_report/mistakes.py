"""The samples that a model is most confidently wrong about."""

import heapq
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from ...datasets.faults import SKIPPED
from ...datasets.preparation.progress import ProgressLine
from ...engine.trained import TrainedModel
from ..gradcam.explain import explain, first_view
from ..gradcam.pictures import draw_strip, overlay

__all__ = ["Mistake", "picture_of", "worst_mistakes"]


@dataclass(frozen=True, order=True)
class Mistake:
    """A sample by its place in the data set, ordered by the probability of the wrong class."""

    probability: float
    index: int
    label: int
    predicted: int
    source: str


@torch.no_grad()
def worst_mistakes(trained: TrainedModel, loader: DataLoader, number: int) -> list[Mistake]:
    """The ``number`` samples with the highest probability for a wrong class, highest first; each sample is scored as in a test."""
    worst: list[Mistake] = []
    index = 0
    with ProgressLine("scored", every=1000) as progress:
        for batch in loader:
            for sample in trained.model.test_step(batch):
                probability, predicted = sample.pred_score.max(0)
                if int(predicted) != int(sample.gt_label) and SKIPPED not in sample:
                    info = loader.dataset.get_data_info(index)
                    source = info.get("filename") or info.get("frame_dir") or info.get("img_path") or f"sample {index}"
                    found = Mistake(float(probability), index, int(sample.gt_label), int(predicted), Path(source).name)
                    (heapq.heappush if len(worst) < number else heapq.heappushpop)(worst, found)
                index += 1
            progress(index, len(loader.dataset))
    return sorted(worst, reverse=True)


def picture_of(
    trained: TrainedModel, loader: DataLoader, mistake: Mistake, layer: str, most_frames: int = 4
) -> np.ndarray:
    """Frames of a sample, and Grad-CAM of the class that it was taken for; ``(H, W, 3)`` uint8 RGB, at most 640 wide."""
    found = explain(trained.model, first_view(trained.model, loader.dataset[mistake.index]), layer, mistake.predicted)
    shown = np.unique(np.linspace(0, len(found.frames) - 1, most_frames).round().astype(int))
    frames, maps = found.frames[shown], found.maps[layer][shown]
    picture = draw_strip([("frames", frames), (f"Grad-CAM, {layer}", overlay(frames, maps))])
    width = min(640, picture.shape[1])
    return cv2.resize(
        picture, (width, round(picture.shape[0] * width / picture.shape[1])), interpolation=cv2.INTER_AREA
    )
