"""Mirroring with labels: the clip and the class change together, whatever order the labels have."""

import numpy as np
import pytest
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.registry import DefaultScope

from cgc_video.datasets.transforms.flip import FlipByName
from cgc_video.errors import UserError

NAMES = ["going right", "still", "going left", "pulling it right out"]


def flipped(transform, label: int, frames: int = 3):
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    results = dict(imgs=[image.copy() for _ in range(frames)], label=label, modality="RGB", img_shape=(2, 2))
    results = transform(results)
    same = {bool(np.array_equal(out, image)) for out in results["imgs"]}
    mirrored = {bool(np.array_equal(out, image[:, ::-1])) for out in results["imgs"]}
    assert len(same) == 1
    assert same != mirrored
    return results["label"], mirrored == {True}, results["flip"]


@pytest.mark.parametrize(("label", "expected"), [(0, (2, True)), (2, (0, True)), (1, (1, True)), (3, (3, False))])
def test_clip_and_label_change_together(label, expected):
    transform = FlipByName(flip_ratio=1, classes=NAMES)
    *outcome, flag = flipped(transform, label)
    assert tuple(outcome) == expected
    assert flag == expected[1]
    assert transform.flip_ratio == 1


def test_a_side_alone_may_be_mirrored():
    assert flipped(FlipByName(flip_ratio=1, classes=NAMES, flip_one_sided=True), 3)[:2] == (3, True)
    assert flipped(FlipByName(flip_ratio=0, classes=NAMES), 0)[:2] == (0, False)


def test_names_come_from_the_data_set(tmp_path):
    (tmp_path / "list.txt").write_text("a.mp4 0\n")
    step = dict(type="FlipByName", flip_ratio=1)

    def build(**options):
        with DefaultScope.overwrite_default_scope("mmaction"):
            cfg = dict(type="ListedVideos", ann_file=str(tmp_path / "list.txt"), pipeline=[step], **options)
            return DATASETS.build(cfg).pipeline.transforms[0]

    with pytest.raises(UserError, match=r"FlipByName needs class names; put classes.txt beside the list"):
        flipped(build(), 0)
    assert build(metainfo=dict(classes=["x left", "x right"])).flip_label_map == {0: 1, 1: 0}
    (tmp_path / "classes.txt").write_text("".join(f"{name}\n" for name in NAMES))
    assert build().flip_label_map == {0: 2, 2: 0}
    step["classes"] = ["a left", "b", "c", "a right"]  # the config's own go first
    assert build().flip_label_map == {0: 3, 3: 0}


def test_a_class_file_may_be_named(tmp_path):
    (tmp_path / "names.txt").write_text("left\nright\n")
    with DefaultScope.overwrite_default_scope("mmaction"):
        transform = TRANSFORMS.build(dict(type="FlipByName", classes=str(tmp_path / "names.txt")))
    assert transform.flip_label_map == {0: 1, 1: 0}
    assert repr(transform).endswith("flip_one_sided=False)")


def test_what_it_does_not_do():
    with pytest.raises(ValueError, match=r"direction \(vertical\) must be 'horizontal'"):
        FlipByName(direction="vertical")
    with pytest.raises(ValueError, match="use Flip to give one"):
        FlipByName(flip_label_map={0: 1})
