"""What the decoding steps have in common: each needed frame is decoded once, and shared or copied out."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import UserError
from .planned import Plan

__all__ = ["put_frames", "remember_size", "wanted_frames"]


def wanted_frames(results: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The frames that a sample needs, ascending and each once ``(U,)``, and which of them each place takes ``(M,)``."""
    if "gt_bboxes" in results:
        raise UserError("This decoding step does not scale boxes (gt_bboxes); take MMAction2's for spatial detection.")
    frame_inds = np.asarray(results["frame_inds"], dtype=np.int64).reshape(-1)
    if not frame_inds.size:
        raise UserError("frame_inds is empty; the sampling step before decoding must ask for a frame at least.")
    results["frame_inds"] = frame_inds
    return np.unique(frame_inds, return_inverse=True)


def put_frames(
    results: dict[str, Any],
    images: np.ndarray | list[np.ndarray],
    places: np.ndarray,
    original: tuple[int, int],
    unique: bool,
) -> dict[str, Any]:
    """Put decoded frames into a sample.

    Args:
        images: ``U`` images ``(H, W, 3)``, or one array of them.
        places: Which of them each place takes, ``(M,)``.
        original: Height and width before any planned resizing.
        unique: Leave the images as they are, and put ``places`` beside them as ``frame_places``; else ``imgs`` is the
            list of ``M`` images, no two of which share memory (a later ``Flip`` works in place).
    """
    results["original_shape"], results["img_shape"] = tuple(original), images[0].shape[:2]
    if unique:
        results["imgs"], results["frame_places"] = np.asarray(images), places
        return results
    used: set[int] = set()
    results["imgs"] = []
    for place in places.tolist():
        results["imgs"].append(images[place].copy() if place in used else images[place])
        used.add(place)
    return results


def remember_size(plan: Plan | None, sizes: list[tuple[int, int]]) -> Callable[[np.ndarray], np.ndarray]:
    """A function that applies a plan to an image and notes the size that the image had."""

    def finish(image: np.ndarray) -> np.ndarray:
        sizes.append(image.shape[:2])
        return image if plan is None else plan(image)

    return finish
