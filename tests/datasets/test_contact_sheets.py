"""Pictures of what the network gets: the pixels come back, each in its place."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import DefaultScope

from cgc_video.datasets.contact_sheets import draw_sheet, network_input, undo_normalisation, view_rows
from cgc_video.models.lazy_views import LazyViewsPreprocessor

NORM = dict(type="ActionDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])


def preprocessor(**options):
    with DefaultScope.overwrite_default_scope("mmaction"):
        return MODELS.build(dict(NORM, **options))


@pytest.mark.parametrize(("shape", "format_shape"), [((6, 3, 5, 7), "NCHW"), ((2, 3, 4, 5, 7), "NCTHW")])
def test_pixels_survive_the_preprocessor(shape, format_shape):
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8)
    sample = dict(inputs=pixels, data_samples=ActionDataSample().set_gt_label(1))
    build = preprocessor(format_shape=format_shape)
    inputs = network_input(sample, build, training=True)
    assert inputs.shape == shape
    assert inputs.abs().max() < 3
    np.testing.assert_array_equal(undo_normalisation(inputs, build), pixels.numpy())


def test_colours_come_as_the_network_has_them_and_blending_is_left_out():
    blending = dict(type="MixupBlending", num_classes=3)
    build = preprocessor(format_shape="NCHW", to_rgb=True, blending=blending)
    pixels = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    sample = dict(inputs=pixels, data_samples=ActionDataSample().set_gt_label(1))
    shown = undo_normalisation(network_input(sample, build, training=True), build)
    np.testing.assert_array_equal(shown, pixels.flip(1).numpy())
    assert build.blending is not None


@pytest.mark.parametrize("kind", [LazyViewsPreprocessor, "ActionDataPreprocessor"])
def test_views_that_are_cut_lazily_are_shown(kind):
    with DefaultScope.overwrite_default_scope("mmaction"):
        build = MODELS.build(dict(NORM, type=kind, format_shape="NCTHW"))
    frames = torch.randint(0, 256, (5, 4, 6, 3), dtype=torch.uint8)
    inputs = dict(
        frames=frames, frame_places=torch.tensor([[0, 1], [2, 4]]), boxes=torch.tensor([[0, 0, 4, 4], [2, 0, 6, 4]])
    )
    sample = dict(inputs=inputs, data_samples=ActionDataSample().set_gt_label(1))
    rows = view_rows(undo_normalisation(network_input(sample, build, training=False), build), 99)
    assert rows.shape == (4, 2, 4, 4, 3)
    np.testing.assert_array_equal(rows[3, 1], frames[4, :, 2:])


def test_frames_lie_in_a_row_and_views_below_each_other():
    frames = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1) + np.zeros((6, 3, 4, 5), np.uint8)
    rows = view_rows(frames, 3)
    assert rows.shape == (2, 3, 4, 5, 3)
    assert rows[:, :, 0, 0, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    clips = np.arange(8, dtype=np.uint8).reshape(2, 1, 4, 1, 1) + np.zeros((2, 3, 4, 4, 5), np.uint8)
    assert view_rows(clips, 99)[:, :, 0, 0, 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(ValueError, match=r"num_segments \(4\) must divide the frame count \(6\)"):
        view_rows(frames, 4)


def test_a_sheet_shows_every_frame_and_stays_small():
    rows = np.random.default_rng(0).integers(0, 256, (2, 3, 40, 200, 3), np.uint8)
    sheet = draw_sheet(rows, ["one", "zwei, \u4e09"])
    top = sheet.shape[0] - 2 * 41
    for view, frame in np.ndindex(2, 3):
        cell = sheet[top + 41 * view : top + 41 * view + 40, 201 * frame : 201 * frame + 200]
        np.testing.assert_array_equal(cell, rows[view, frame, ..., ::-1])
    assert (sheet[:top] < 255).any()
    assert draw_sheet(np.zeros((1, 64, 224, 224, 3), np.uint8), ["x"]).shape[1] <= 4096
