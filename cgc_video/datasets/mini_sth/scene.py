"""Scenes of the mini data set: what is drawn once per clip, how it moves, and the frames that follow.

A scene knows its process (``MOTIONS``) and never its class: the frames of a reversed class are the frames of an
independent scene of the same process in reversed order. So the sets of frames of the two classes of a pair have
one distribution, whatever the speed profile, and only their order tells them apart.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .classes import MOTIONS, is_reversed, motion_of
from .sprites import draw_sprite
from .textures import BACKGROUNDS, draw_background

__all__ = ["Scene", "draw_scene", "frame_widths", "render_clip", "render_scene", "speed_profile"]

SUPERSAMPLING = 2


@dataclass(frozen=True)
class Scene:
    """One clip before rendering; lengths in pixels of the final frame.

    Attributes:
        background: ``(H, W, 3)`` float32 in 0..255, at ``SUPERSAMPLING`` times the frame size.
        sprite: ``(S, S, 4)`` premultiplied float32, see ``draw_sprite``.
        poses: ``(T, 4)``: centre x, centre y, diameter, angle in radians (clockwise on the screen).
        exposure: ``(T,)`` brightness factors.
        noise: ``(T, H, W, 3)`` float32 sensor noise, at the frame size.
    """

    background: np.ndarray
    sprite: np.ndarray
    poses: np.ndarray
    exposure: np.ndarray
    noise: np.ndarray


def frame_widths(size: int) -> list[int]:
    """List the frame widths for a height: even, from ``size`` to ``1.5 * size``, and such that every reader reads them.

    decord 0.6.0 takes the bytes per row over the width for the channel count. Rows are padded to 32 pixels, so at
    widths 16, 24, 48 and 72 it counts 4 or 6 channels and fails.
    """
    widths = range(size + size % 2, int(1.5 * size) + 1, 2)
    return [width for width in widths if width % 32 == 0 or 3 * 32 * -(-width // 32) % width]


def speed_profile(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Draw the progress ``(T,)`` from 0 to 1 of a process: a hold, an eased movement, a hold."""
    hold_before, hold_after = rng.uniform(0.0, 0.1, size=2)
    time = (np.arange(frames) / (frames - 1) - hold_before) / (1 - hold_before - hold_after)
    time = np.clip(time, 0.0, 1.0)
    easing = rng.random()
    return (1 - easing) * time + easing * time * time * (3 - 2 * time)


def _draw_poses(rng: np.random.Generator, motion: str, height: int, width: int, frames: int) -> np.ndarray:
    progress = speed_profile(rng, frames)
    centred = progress - 0.5
    x = np.full(frames, width * rng.uniform(0.42, 0.58))
    y = np.full(frames, height * rng.uniform(0.42, 0.58))
    diameter = np.full(frames, height * rng.uniform(0.32, 0.45))
    angle = np.full(frames, rng.uniform(0, 2 * np.pi))
    slant = rng.uniform(-0.1, 0.1) * height * centred
    if motion == "rightward":
        x, y = x + width * rng.uniform(0.5, 0.8) * centred, y + slant
    elif motion == "upward":
        x, y = x + slant, y - height * rng.uniform(0.5, 0.8) * centred
    elif motion == "approaching":
        ratio = rng.uniform(2.2, 3.2)
        diameter = height * rng.uniform(0.22, 0.28) * ratio**progress
    elif motion == "clockwise":
        # from about upright to about lying on its side: an orientation that a small picture shows at once
        diameter = np.full(frames, height * rng.uniform(0.55, 0.8))
        angle = np.deg2rad(rng.uniform(-20, 20) + rng.uniform(75, 110) * progress)
    else:
        raise ValueError(f"motion ({motion}) must be one of {list(MOTIONS)}.")
    return np.stack([x, y, diameter, angle], axis=1)


def draw_scene(rng: np.random.Generator, motion: str, size: int = 64, frames: int = 24) -> Scene:
    """Draw a random scene of one process.

    Args:
        rng: Source of every random choice.
        motion: One of ``MOTIONS``.
        size: Frame height in pixels, even; the width is drawn from ``frame_widths(size)``.
        frames: Mean frame count; the clip has from two thirds to four thirds of it, 2 at least.
    """
    width = int(rng.choice(frame_widths(size)))
    count = max(2, int(rng.integers(round(2 * frames / 3), round(4 * frames / 3) + 1)))
    background = draw_background(rng, str(rng.choice(BACKGROUNDS)), SUPERSAMPLING * size, SUPERSAMPLING * width)
    brightness = float(background.mean())
    poses = _draw_poses(rng, motion, size, width, count)
    sprite_size = max(16, int(np.ceil(SUPERSAMPLING * poses[:, 2].max())))
    sprite = draw_sprite(rng, sprite_size, brightness)
    if rng.random() < 0.35:  # a second thing that stays where it is, behind
        diameter = size * rng.uniform(0.14, 0.2)
        other = draw_sprite(rng, max(16, int(SUPERSAMPLING * diameter)), brightness)
        pose = np.array([width * rng.random(), size * rng.random(), diameter, rng.uniform(0, 2 * np.pi)])
        background = _paste(background, other, pose)
    exposure = 1 + rng.uniform(-0.06, 0.06) * np.linspace(-1, 1, count)
    noise = rng.uniform(0.0, 3.0) * rng.standard_normal((count, size, width, 3), dtype=np.float32)
    return Scene(background, sprite, poses, exposure, noise)


def _paste(canvas: np.ndarray, sprite: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Return ``canvas`` (supersampled) with the sprite drawn over it at ``pose`` (in frame pixels)."""
    x, y, diameter, angle = pose
    scale = SUPERSAMPLING * diameter / sprite.shape[0]
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    middle = (sprite.shape[0] - 1) / 2
    centre_x, centre_y = SUPERSAMPLING * x - 0.5, SUPERSAMPLING * y - 0.5
    matrix = np.array([
        [cos, -sin, centre_x - (cos - sin) * middle],
        [sin, cos, centre_y - (sin + cos) * middle],
    ])  # fmt: skip
    layer = cv2.warpAffine(sprite, matrix, canvas.shape[1::-1], flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0, 0))
    return canvas * (1 - layer[..., 3:]) + layer[..., :3]


def render_scene(scene: Scene) -> np.ndarray:
    """Render a scene to RGB frames ``(T, H, W, 3)`` uint8, in the order of its process."""
    frames = np.empty(scene.noise.shape, dtype=np.uint8)
    height, width = frames.shape[1:3]
    for index, pose in enumerate(scene.poses):
        canvas = _paste(scene.background, scene.sprite, pose)
        frame = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
        frame = frame * np.float32(scene.exposure[index]) + scene.noise[index]
        frames[index] = np.clip(np.rint(frame), 0, 255).astype(np.uint8)
    return frames


def render_clip(rng: np.random.Generator, label: int, size: int = 64, frames: int = 24) -> np.ndarray:
    """Render a random clip of class ``label`` to RGB frames ``(T, H, W, 3)`` uint8; see ``draw_scene``."""
    clip = render_scene(draw_scene(rng, motion_of(label), size, frames))
    return clip[::-1].copy() if is_reversed(label) else clip
