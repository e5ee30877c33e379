"""Load a trained recognizer and name what a video shows."""

from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from torch import nn

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.engine.trained import load_trained
from cgc_video.errors import UserError

__all__ = ["Prediction", "Recognizer", "load_recognizer", "predict"]


@dataclass(frozen=True)
class Prediction:
    """A class and its probability, averaged over the views of the test pipeline."""

    label: int
    name: str
    probability: float


@dataclass
class Recognizer:
    """A model in evaluation mode, its test pipeline and its class names in label order."""

    model: nn.Module
    pipeline: Compose
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
        pipeline = Compose(trained.cfg.test_dataloader.dataset.pipeline)
    return Recognizer(trained.model, pipeline, trained.class_names)


@torch.no_grad()
def predict(recognizer: Recognizer, video: str, top_k: int = 5) -> list[Prediction]:
    """Score a video file.

    Args:
        top_k: How many classes to return, most probable first; all if there are fewer.

    Raises:
        UserError: If the file is missing or cannot be decoded.
    """
    if not Path(video).is_file():
        raise UserError(f"The video {video} does not exist; give the path of a video file.")
    try:
        data = recognizer.pipeline({"filename": video, "label": -1, "start_index": 0, "modality": "RGB"})
    except DecodeError:
        raise
    except Exception as error:  # MMAction2's own decoding steps: each decoder and container fails in its own way
        raise UserError(
            f"{video} cannot be decoded as a video ({type(error).__name__}: {str(error).splitlines()[0]})."
        ) from error
    result = recognizer.model.test_step(pseudo_collate([data]))[0]
    scores, labels = result.pred_score.topk(min(top_k, len(result.pred_score)))
    names = recognizer.class_names
    return [Prediction(i, names[i], score) for i, score in zip(labels.tolist(), scores.tolist(), strict=True)]

