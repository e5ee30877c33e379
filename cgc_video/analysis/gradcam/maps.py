"""Class activation maps at any place of a network.

Source: Selvaraju et al., Grad-CAM, ICCV 2017; Chattopadhay et al., Grad-CAM++, WACV 2018, with the exponential of the score as its smooth
function, so that higher derivatives are powers of the first. Frames of a 2D network are maps of their own, each weighted by the
gradients within it; a 3D network's map is weighted by those over space and time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import UserError

__all__ = ["METHODS", "Place", "activation_maps", "to_frames"]


@dataclass(frozen=True)
class Place:
    """What is looked at: the output of a module, or its input.

    Attributes:
        module: Runs once per forward pass.
        grid: The shape of the positions, where the module takes them flat, as ``ContextGate`` takes ``(N, C, prod(P))``.
    """

    module: nn.Module
    is_input: bool = False
    grid: tuple[int, ...] | None = None


def _gradcam(activations: Tensor, gradients: Tensor) -> Tensor:
    return gradients.mean(tuple(range(2, gradients.dim())), keepdim=True)


def _gradcam_plus_plus(activations: Tensor, gradients: Tensor) -> Tensor:
    positions = tuple(range(2, gradients.dim()))
    second, third = gradients**2, gradients**3
    denominator = 2 * second + activations.sum(positions, keepdim=True) * third
    alpha = torch.where(denominator == 0, torch.zeros_like(second), second / denominator)
    return (alpha * F.relu(gradients)).sum(positions, keepdim=True)


# By name: the weight of each channel, from activations and gradients ``(M, C, ...)``.
METHODS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"gradcam": _gradcam, "gradcam++": _gradcam_plus_plus}


def activation_maps(
    model: nn.Module, inputs: Tensor, places: Sequence[Place], target: int | None = None, method: str = "gradcam"
) -> tuple[list[Tensor], Tensor]:
    """Maps of one clip or image, at several places of the network in one pass.

    Args:
        model: A recognizer or classifier in evaluation mode.
        inputs: Its preprocessor's output for a batch of one view.
        target: The class to explain; by default the predicted one.
        method: A key of ``METHODS``.

    Returns:
        A map per place, not negative and not scaled: ``(T, h, w)``, with ``T`` the frames (1 for an image) or the positions in time of a 3D
        map; and the scores ``(num_classes,)``.

    Raises:
        UserError: If a place gives no feature map, or ``target`` is no class.
    """
    seen: dict[Place, Tensor] = {}
    handles = [_watch(place, seen) for place in places]
    try:
        with torch.enable_grad():
            features, head_args = model.extract_feat(inputs.detach().requires_grad_(), test_mode=True)
            scores = model.cls_head(features, **head_args)[0]
    finally:
        for handle in handles:
            handle.remove()
    if target is not None and not 0 <= target < len(scores):
        raise UserError(f"target ({target}) must be a class, 0 to {len(scores) - 1}.")
    watched = [_feature_map(seen, place) for place in places]
    gradients = torch.autograd.grad(scores[scores.argmax() if target is None else target], watched, allow_unused=True)
    maps = []
    for place, activations, gradient in zip(places, watched, gradients, strict=True):
        if gradient is None:
            raise UserError("the score does not depend on this layer; take one that lies on the way to the head.")
        maps.append(_class_map(_shaped(activations, place), _shaped(gradient, place), METHODS[method]).detach())
    return maps, scores.detach()


def _watch(place: Place, seen: dict[Place, Tensor]) -> torch.utils.hooks.RemovableHandle:
    # later steps work in place: they get a copy, so that what is kept stays what the gradient belongs to
    def keep_input(_, args):
        seen[place] = args[0]
        return (args[0].clone(), *args[1:])

    def keep_output(_, args, output):
        seen[place] = output
        return output.clone() if isinstance(output, Tensor) else output

    if place.is_input:
        return place.module.register_forward_pre_hook(keep_input)
    return place.module.register_forward_hook(keep_output)


def _feature_map(seen: dict[Place, Tensor], place: Place) -> Tensor:
    found = seen.get(place)
    if not isinstance(found, Tensor) or (found.dim() < 4 and place.grid is None):
        shape = tuple(found.shape) if isinstance(found, Tensor) else "no tensor"
        raise UserError(f"the layer gives {shape}; a map takes one that gives (N, C, H, W) or (N, C, T, H, W).")
    return found


def _shaped(values: Tensor, place: Place) -> Tensor:
    return values if place.grid is None else values.unflatten(2, place.grid)


def _class_map(activations: Tensor, gradients: Tensor, weigh: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """``(M, C, H, W)`` or ``(1, C, T, H, W)`` to ``(T, H, W)``."""
    maps = F.relu((weigh(activations, gradients) * activations).sum(1))
    return maps[0] if maps.dim() == 4 else maps


def to_frames(maps: Tensor, num_frames: int, size: tuple[int, int]) -> Tensor:
    """Scale maps ``(T, h, w)`` to the frames ``(num_frames, *size)`` and into 0..1, by the largest value of the clip."""
    maps = maps[None, None].float()
    if maps.shape[2] != num_frames:
        maps = F.interpolate(maps, (num_frames, *maps.shape[3:]), mode="trilinear", align_corners=False)
    maps = F.interpolate(maps[0, 0, :, None], size, mode="bilinear", align_corners=False)[:, 0]
    return maps / maps.max().clamp(min=torch.finfo(maps.dtype).tiny)
