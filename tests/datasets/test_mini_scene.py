"""The mini data set's frames: the two classes of a pair differ in order alone, and the order is easy to see."""

import cv2
import numpy as np
import pytest

from cgc_video.datasets.mini_sth.classes import CLASSES, MOTIONS, is_reversed, motion_of
from cgc_video.datasets.mini_sth.scene import draw_scene, frame_widths, render_clip, render_scene, speed_profile
from cgc_video.datasets.mini_sth.sprites import SHAPES, shape_mask
from cgc_video.datasets.mini_sth.textures import BACKGROUNDS, SURFACES, draw_background, draw_surface
from cgc_video.datasets.mini_sth.video import draw_compression

SEEDS = range(20)


def test_classes_are_pairs_of_one_process():
    assert len(CLASSES) == len(set(CLASSES)) == 8
    assert [motion_of(label) for label in range(8)] == [motion for motion in MOTIONS for _ in range(2)]
    assert [is_reversed(label) for label in range(8)] == [False, True] * 4
    assert CLASSES[:2] == ("Moving something left to right", "Moving something right to left")


@pytest.mark.parametrize("label", range(0, 8, 2), ids=lambda label: MOTIONS[label // 2])
def test_partner_is_the_time_reversal(label):
    # With equal random numbers a class is its partner reversed. So both have one distribution over sets of frames.
    for seed in SEEDS[:4]:
        rng, partner_rng = np.random.default_rng(seed), np.random.default_rng(seed)
        clip, partner = render_clip(rng, label, size=32), render_clip(partner_rng, label + 1, size=32)
        np.testing.assert_array_equal(clip, partner[::-1])
        assert not np.array_equal(clip, partner)
        assert draw_compression(rng) == draw_compression(partner_rng)


def test_clip_is_a_function_of_its_random_numbers():
    first, second, other = (render_clip(np.random.default_rng(seed), 2, size=32) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.uint8
    assert first.shape[1] == 32
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("motion", MOTIONS)
def test_process_runs_its_way_and_far_enough(motion):
    for seed in SEEDS:
        scene = draw_scene(np.random.default_rng(seed), motion, size=64)
        height, width = scene.noise.shape[1:3]
        x, y, diameter, angle = scene.poses.T
        progress = {"rightward": x / width, "upward": -y / height, "approaching": np.log(diameter),
                    "clockwise": angle}[motion]  # fmt: skip
        steps = np.diff(progress)
        least = {"rightward": 0.39, "upward": 0.39, "approaching": np.log(2), "clockwise": np.deg2rad(70)}[motion]
        assert (steps > -1e-9).all()
        assert progress[-1] - progress[0] > least - 1e-9
        assert np.abs(np.diff(angle)).max() < np.deg2rad(60)
        assert (x > -0.05 * width).all()
        assert (x < 1.05 * width).all()
        assert (y > -0.05 * height).all()
        assert (y < 1.05 * height).all()


def test_rightward_and_clockwise_are_so_on_the_screen():
    for motion in ("rightward", "clockwise"):
        scene = draw_scene(np.random.default_rng(3), motion, size=96)
        plain = np.zeros_like(scene.background)
        white = np.where(scene.sprite[..., 3:] > 0.5, [[[255.0, 255.0, 255.0, 1.0]]], 0.0).astype(np.float32)
        frames = render_scene(type(scene)(plain, white, scene.poses, np.ones(len(scene.poses)), 0 * scene.noise))
        masks = (frames[[0, -1], ..., 0] > 127).astype(np.uint8)
        if motion == "rightward":
            first, last = (np.nonzero(mask)[1].mean() for mask in masks)
            assert last - first > 0.35 * frames.shape[2]
        else:  # turning the first frame clockwise by the total angle gives the last
            degrees = np.rad2deg(scene.poses[-1, 3] - scene.poses[0, 3])
            x, y = scene.poses[0, :2] - 0.5
            overlap = []
            for angle in (-degrees, degrees):  # OpenCV counts counter-clockwise
                turn = cv2.getRotationMatrix2D((x, y), angle, 1)
                turned = cv2.warpAffine(masks[0], turn, masks[0].shape[::-1])
                overlap.append((turned & masks[1]).sum() / (turned | masks[1]).sum())
            assert overlap[0] > 0.85
            assert overlap[0] > overlap[1]


def test_speed_profile_is_symmetric_in_distribution():
    profiles = np.stack([speed_profile(np.random.default_rng(seed), 25) for seed in range(2000)])
    assert (profiles[:, 0] == 0).all()
    np.testing.assert_allclose(profiles[:, -1], 1)
    assert (np.diff(profiles) >= 0).all()
    # reversed progress has the same mean and spread; 2000 draws have a standard error under 0.003
    np.testing.assert_allclose(profiles.mean(0), 1 - profiles.mean(0)[::-1], atol=0.012)
    np.testing.assert_allclose(profiles.std(0), profiles.std(0)[::-1], atol=0.012)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_no_rotation_maps_a_shape_onto_itself(shape):
    size = 96
    mask = shape_mask(shape, size)
    y, x = np.nonzero(mask)
    assert np.hypot(x - (size - 1) / 2, y - (size - 1) / 2).max() <= size / 2
    for degrees in range(15, 350, 5):
        matrix = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), degrees, 1)
        turned = cv2.warpAffine(mask, matrix, (size, size))
        assert np.minimum(mask, turned).sum() / np.maximum(mask, turned).sum() < 0.9, degrees


def test_sprite_stands_out_from_its_background():
    for seed in SEEDS:
        scene = draw_scene(np.random.default_rng(seed), "rightward", size=64)
        frames = render_scene(scene).astype(np.float32).mean(-1)
        assert np.abs(frames[-1] - frames[0]).max() > 60


def test_frames_vary_in_count_and_width():
    shapes = {draw_scene(np.random.default_rng(seed), "upward", size=32, frames=24).noise.shape for seed in range(40)}
    counts, heights, widths, _ = (set(values) for values in zip(*shapes, strict=True))
    assert heights == {32}
    assert min(counts) >= 16
    assert max(counts) <= 32
    assert len(counts) > 8
    assert widths <= set(frame_widths(32))
    assert len(widths) > 4


@pytest.mark.parametrize(("size", "widths"), [(16, [18, 20, 22]), (32, [32, 34, 36, 38, 40, 42, 44, 46])])
def test_frame_widths_leave_out_what_decord_cannot_read(size, widths):
    assert frame_widths(size) == widths


@pytest.mark.parametrize("kind", sorted({*BACKGROUNDS, *SURFACES}))
def test_textures_are_colours(kind):
    background = draw_background(np.random.default_rng(0), kind, 20, 31)
    surface = draw_surface(np.random.default_rng(0), kind, 17, np.array([200.0, 40.0, 90.0], dtype=np.float32))
    assert (background.shape, surface.shape) == ((20, 31, 3), (17, 17, 3))
    for image in (background, surface):
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() <= 255


def test_unknown_names_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"motion \(sideways\) must be one of"):
        draw_scene(rng, "sideways")
    with pytest.raises(ValueError, match=r"kind \(fur\) must be one of"):
        draw_background(rng, "fur", 8, 8)
    with pytest.raises(ValueError, match=r"shape \(disc\) must be one of"):
        shape_mask("disc", 8)
