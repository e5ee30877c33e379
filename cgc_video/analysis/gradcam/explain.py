"""Explain the prediction for one sample: at one layer, or as in Fig. 4 around a gated layer."""

from dataclasses import dataclass

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn

from ...datasets.contact_sheets import undo_normalisation
from ...errors import UserError
from ...models.lazy_views import batch_samples
from ..layers import find_gated_layer, find_layer, last_gated_layer
from .maps import Place, activation_maps, to_frames

__all__ = ["Explanation", "explain", "explain_gate", "first_view", "last_feature_layer"]


@dataclass
class Explanation:
    """Maps over the frames of a sample's first view.

    Attributes:
        frames: ``(T, H, W, 3)`` uint8 RGB, as the network saw them.
        maps: By title, ``(T, H, W)`` in 0..1, each scaled by its largest value.
        predicted: The class with the highest score.
        probability: Its share under softmax.
        target: The class that the maps explain.
    """

    frames: np.ndarray
    maps: dict[str, np.ndarray]
    predicted: int
    probability: float
    target: int


def last_feature_layer(model: nn.Module) -> str:
    """The last stage of the backbone: what the head averages."""
    names = [name for name, _ in model.named_modules() if name.startswith("backbone.layer") and name.count(".") == 1]
    if not names:
        raise UserError("the model's backbone has no stages layer1, layer2, ...; name a layer.")
    return names[-1]


def first_view(model: nn.Module, sample: dict) -> Tensor:
    """The first view of a packed sample, preprocessed, as a batch of one: what the functions below take as ``inputs``."""
    views = batch_samples(pseudo_collate([sample])["inputs"])[0]
    view = model.split_views(views)[0] if hasattr(model, "split_views") else views
    return model.data_preprocessor({"inputs": [view], "data_samples": None}, training=False)["inputs"]


def explain(
    model: nn.Module, inputs: Tensor, layer: str, target: int | None = None, method: str = "gradcam"
) -> Explanation:
    """Grad-CAM at the output of a layer.

    Args:
        inputs: A preprocessed batch of one view: ``(1, T, 3, H, W)``, ``(1, 1, 3, T, H, W)``, or ``(1, 3, H, W)`` for an image.
        layer: A module by name.
        target: The class to explain; by default the predicted one.
        method: ``"gradcam"`` or ``"gradcam++"``.

    Raises:
        UserError: If there is no such layer or class, or the layer gives no feature map.
    """
    return _explain(model, inputs, {layer: Place(find_layer(model, layer))}, target, method)


def explain_gate(
    model: nn.Module, inputs: Tensor, layer: str | None = None, target: int | None = None, method: str = "gradcam++"
) -> Explanation:
    """Fig. 4 for a gated layer, by default the last: the features before it, the context that its gate is given, the features after it."""
    name = layer or last_gated_layer(model)
    module = find_gated_layer(model, name)
    places = {
        f"before {name}": Place(module, is_input=True),
        "the context that it pools": Place(module.gate, is_input=True, grid=_with_space(module.grid)),
        f"after {name}": Place(module),
    }
    return _explain(model, inputs, places, target, method)


def _with_space(grid: tuple[int, ...]) -> tuple[int, ...]:
    """A grid over time alone gets a height and a width."""
    return (*grid, 1, 1) if len(grid) == 1 else grid


def _explain(
    model: nn.Module, inputs: Tensor, places: dict[str, Place], target: int | None, method: str
) -> Explanation:
    maps, scores = activation_maps(model, inputs, list(places.values()), target, method)
    pixels = undo_normalisation((inputs.flatten(0, 1) if inputs.dim() > 4 else inputs).cpu(), model.data_preprocessor)
    frames = pixels[0].transpose(1, 2, 3, 0) if pixels.ndim == 5 else pixels.transpose(0, 2, 3, 1)
    scaled = {
        title: to_frames(found, len(frames), frames.shape[1:3]).cpu().numpy()
        for title, found in zip(places, maps, strict=True)
    }
    probabilities = torch.softmax(scores, 0)
    predicted = int(scores.argmax())
    return Explanation(
        frames, scaled, predicted, float(probabilities[predicted]), predicted if target is None else target
    )
