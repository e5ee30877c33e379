"""Where the object is in each frame of a rendered clip."""

import numpy as np

from .build import clip_generator
from .classes import is_reversed, motion_of
from .layout import Clip, MiniArguments
from .scene import draw_scene

__all__ = ["object_boxes"]


def object_boxes(arguments: MiniArguments, clip: Clip) -> np.ndarray:
    """The square around the moving object in each frame of a clip, drawn again from its seed.

    Returns:
        ``(T, 4)``: left, top, right, bottom, as shares of width and height; an object that leaves the frame has a box beyond 0..1.
    """
    rng = clip_generator(arguments.seed, clip.split, clip.index)
    scene = draw_scene(rng, motion_of(clip.label), arguments.size, arguments.frames)
    height, width = scene.noise.shape[1:3]
    x, y, diameter = scene.poses[:, 0], scene.poses[:, 1], scene.poses[:, 2]
    half = diameter / 2
    boxes = np.stack([(x - half) / width, (y - half) / height, (x + half) / width, (y + half) / height], axis=1)
    return boxes[::-1].copy() if is_reversed(clip.label) else boxes
