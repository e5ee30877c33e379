"""Colours, surface textures and backgrounds of the mini data set: functions that return float32 arrays in 0..255."""

import colorsys

import cv2
import numpy as np

__all__ = ["BACKGROUNDS", "SURFACES", "draw_background", "draw_surface", "hsv_colour", "luminance"]

BACKGROUNDS = ("noise", "gradient", "checks", "stripes")
SURFACES = ("solid", "gradient", "checks", "stripes", "dots")


def hsv_colour(hue: float, saturation: float, value: float) -> np.ndarray:
    """Return an RGB colour ``(3,)`` in 0..255 from hue, saturation and value in 0..1."""
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value), dtype=np.float32) * 255


def luminance(colour: np.ndarray) -> float:
    """Return the BT.601 luminance, 0..255, of an RGB colour ``(3,)``."""
    return float(colour @ np.array([0.299, 0.587, 0.114], dtype=np.float32))


def _smooth_noise(rng: np.random.Generator, height: int, width: int, cells: int) -> np.ndarray:
    coarse = rng.random((cells, max(2, round(cells * width / height))), dtype=np.float32)
    noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return (noise - noise.min()) / max(float(np.ptp(noise)), 1e-6)


def _pattern(rng: np.random.Generator, kind: str, height: int, width: int, periods: float) -> np.ndarray:
    """Draw one pattern of about ``periods`` periods along the height, as mixing weights ``(H, W)`` in 0..1."""
    if kind == "solid":
        return np.zeros((height, width), dtype=np.float32)
    if kind == "noise":
        fine = _smooth_noise(rng, height, width, round(4 * periods))
        return 0.7 * _smooth_noise(rng, height, width, max(3, round(periods))) + 0.3 * fine
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32) / height
    u = np.cos(angle) * x + np.sin(angle) * y
    v = -np.sin(angle) * x + np.cos(angle) * y
    if kind == "gradient":
        return (u - u.min()) / float(np.ptp(u))
    phase_u, phase_v = rng.random(2).astype(np.float32)
    wave_u = np.sin(2 * np.pi * (periods * u + phase_u))
    if kind == "stripes":
        return (wave_u > 0).astype(np.float32)
    wave_v = np.sin(2 * np.pi * (periods * v + phase_v))
    if kind == "checks":
        return (wave_u * wave_v > 0).astype(np.float32)
    if kind == "dots":
        return (np.minimum(wave_u, wave_v) > 0.2).astype(np.float32)
    raise ValueError(f"kind ({kind}) must be one of {sorted({*BACKGROUNDS, *SURFACES})}.")


def draw_background(rng: np.random.Generator, kind: str, height: int, width: int) -> np.ndarray:
    """Draw a muted background ``(H, W, 3)``: two colours of close luminance, mixed by the pattern ``kind``."""
    hue, saturation, value = rng.random(), rng.uniform(0.1, 0.45), rng.uniform(0.25, 0.8)
    first = hsv_colour(hue, saturation, value)
    step = rng.choice([-1.0, 1.0]) * rng.uniform(0.08, 0.18)
    second = hsv_colour(hue + rng.uniform(-0.1, 0.1), saturation, np.clip(value + step, 0.15, 0.9))
    weight = _pattern(rng, kind, height, width, periods=rng.uniform(2.0, 5.0))[..., None]
    return ((1 - weight) * first + weight * second).astype(np.float32)


def draw_surface(rng: np.random.Generator, kind: str, size: int, colour: np.ndarray) -> np.ndarray:
    """Draw the surface of a sprite ``(size, size, 3)``: ``colour`` with a lighter or darker pattern of ``kind``."""
    other = colour * rng.uniform(0.45, 0.7) if luminance(colour) > 110 else colour + (255 - colour) * 0.5
    weight = _pattern(rng, kind, size, size, periods=rng.uniform(2.0, 3.5))[..., None]
    return ((1 - weight) * colour + weight * other).astype(np.float32)
