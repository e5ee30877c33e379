"""Sprites of the mini data set: shapes that no rotation maps onto themselves, textured and outlined."""

import cv2
import numpy as np

from .textures import SURFACES, draw_surface, hsv_colour, luminance

__all__ = ["SHAPES", "draw_sprite", "shape_mask"]

# Outlines in the unit square, y downwards; rescaled to fill the unit disc. None is symmetric under a rotation.
SHAPES: dict[str, tuple[tuple[float, float], ...]] = {
    "arrow": ((0.5, 0.0), (1.0, 0.45), (0.68, 0.45), (0.68, 1.0), (0.32, 1.0), (0.32, 0.45), (0.0, 0.45)),
    "letter_l": ((0.1, 0.0), (0.42, 0.0), (0.42, 0.68), (0.9, 0.68), (0.9, 1.0), (0.1, 1.0)),
    "letter_f": ((0.1, 0.0), (0.9, 0.0), (0.9, 0.26), (0.4, 0.26), (0.4, 0.42), (0.75, 0.42), (0.75, 0.66), (0.4, 0.66),
                 (0.4, 1.0), (0.1, 1.0)),
    "flag": ((0.1, 0.0), (1.0, 0.28), (0.3, 0.55), (0.3, 1.0), (0.1, 1.0)),
    "wedge": ((0.0, 1.0), (0.25, 0.0), (1.0, 1.0)),
    "house": ((0.5, 0.0), (1.0, 0.45), (1.0, 0.8), (0.6, 0.8), (0.6, 1.0), (0.0, 1.0), (0.0, 0.45)),
    "boot": ((0.15, 0.0), (0.6, 0.0), (0.6, 0.55), (1.0, 0.72), (1.0, 1.0), (0.15, 1.0)),
    "drop": tuple((0.5 + 0.5 * np.sin(t / 2) * np.sin(t), 0.5 - 0.5 * np.cos(t))
                  for t in np.linspace(0, 2 * np.pi, 40, endpoint=False)),
}  # fmt: skip


def shape_mask(shape: str, size: int) -> np.ndarray:
    """Rasterise a shape to ``(size, size)`` float32 coverage in 0..1, inside the disc of diameter ``size``."""
    if shape not in SHAPES:
        raise ValueError(f"shape ({shape}) must be one of {sorted(SHAPES)}.")
    outline = np.array(SHAPES[shape])
    outline = outline - (outline.min(0) + outline.max(0)) / 2
    outline *= 0.46 * size / np.linalg.norm(outline, axis=1).max()
    shift = 4  # OpenCV's fixed-point bits
    points = np.round((outline + (size - 1) / 2) * 2**shift).astype(np.int32)
    mask = np.zeros((size, size), dtype=np.uint8)
    cv2.fillPoly(mask, [points], 255, lineType=cv2.LINE_AA, shift=shift)
    return mask.astype(np.float32) / 255


def _contrasting_colour(rng: np.random.Generator, background: float) -> np.ndarray:
    """Draw a saturated colour at least 50 away from a background luminance."""
    while True:
        colour = hsv_colour(rng.random(), rng.uniform(0.55, 1.0), rng.uniform(0.35, 1.0))
        if abs(luminance(colour) - background) >= 50:
            return colour


def draw_sprite(rng: np.random.Generator, size: int, background: float) -> np.ndarray:
    """Draw a random sprite.

    Args:
        size: Side in pixels; the sprite fits the inscribed disc, so that it can turn.
        background: Mean luminance, 0..255, that it must stand out from.
    Returns:
        ``(size, size, 4)`` float32: RGB in 0..255 already multiplied by coverage, and coverage in 0..1.
    """
    shape = str(rng.choice(sorted(SHAPES)))
    surface = draw_surface(rng, str(rng.choice(SURFACES)), size, _contrasting_colour(rng, background))
    body = shape_mask(shape, size)
    rim_width = max(3, 2 * (size // 24) + 1)
    coverage = cv2.dilate(body, np.ones((rim_width, rim_width), dtype=np.uint8))
    rim = np.full(3, 20.0 if background > 110 else 235.0, dtype=np.float32)
    colour = surface * body[..., None] + rim * (1 - body[..., None])
    return np.dstack([colour * coverage[..., None], coverage]).astype(np.float32)
