"""Mirrored classes and label orders, on the names of Something-Something v1.

``data/sthv1_labels.csv`` holds the 174 public names in the order of ``something-something-v1-labels.csv``, taken from
``tools/data/sthv1/label_map.txt`` of open-mmlab/mmaction2 (commit 9d7e40f).
"""

from pathlib import Path

import pytest

from cgc_video.datasets.labels import (
    class_key,
    class_order,
    flip_label_map,
    flip_pairs,
    mirrored_name,
    one_sided_classes,
    pad_class_names,
)
from cgc_video.datasets.lists import read_classes
from cgc_video.errors import UserError

STHV1 = read_classes(Path(__file__).parent / "data" / "sthv1_labels.csv")


def test_flip_pairs_of_sthv1_are_the_known_ones_in_both_orders():
    assert len(STHV1) == 174
    assert flip_pairs(STHV1) == [(2, 4), (30, 41), (52, 66)]
    assert flip_pairs(sorted(STHV1)) == [(86, 87), (93, 94), (166, 167)]
    # MMAction2's configs for Something-Something v1
    assert flip_label_map(STHV1) == {2: 4, 4: 2, 30: 41, 41: 30, 52: 66, 66: 52}
    assert [STHV1[label] for label in one_sided_classes(STHV1)] == [
        "Plugging something into something but pulling it right out as you remove your hand"
    ]


@pytest.mark.parametrize(
    ("name", "mirrored"),
    [
        ("Pushing something from left to right", "Pushing something from right to left"),
        ("swipe_left", "swipe_right"),
        ("Left turn, RIGHT hand", "Right turn, LEFT hand"),
        ("sliding two fingers rightwards", "sliding two fingers leftwards"),
        ("bright upright leftover", "bright upright leftover"),
        ("left2right", "left2right"),
    ],
)
def test_mirrored_name(name, mirrored):
    assert mirrored_name(name) == mirrored
    assert mirrored_name(mirrored) == name


def test_pairs_do_not_depend_on_case_and_a_side_alone_is_told():
    assert flip_pairs(["Turning left", "still", "turning Right"]) == [(0, 2)]
    assert (flip_pairs(["turn left", "still"]), one_sided_classes(["turn left", "still"])) == ([], [0])


@pytest.mark.parametrize(
    "name",
    ["massaging person's head", "massaging_persons_head", "Massaging person’s head ", "massaging person's  head"],
)
def test_class_key_of_what_copies_write(name):
    assert class_key(name) == "massaging persons head"


def test_class_order_of_the_two_code_bases():
    order = class_order(sorted(STHV1), STHV1)
    assert [sorted(STHV1)[label] for label in order] == STHV1
    assert class_order(STHV1, list(STHV1)) is None


def test_class_order_by_plainer_names():
    assert class_order(["petting animal (not cat)", "zumba"], ["zumba", "petting_animal_not_cat"]) == [1, 0]
    assert class_order(["a b", "c"], ["a_b", "c"]) is None
    with pytest.raises(UserError, match="not in the data"):  # C and C++ fall together under the key
        class_order(["C", "C++", "a b"], ["C++", "C", "a_b"])


def test_unnamed_classes_stand_for_any():
    full = ["a", "b", "c", "d"]
    assert class_order(full, pad_class_names(["c", "a"], 4)) == [2, 0, 1, 3]
    with pytest.raises(UserError, match=r"1 of the data's classes are not in it \('e'\)"):
        class_order(full, pad_class_names(["e"], 4))
    with pytest.raises(UserError, match=r"1 of its classes are not in the data \('a'\)"):
        class_order(["a", "(unnamed class 1)"], ["(unnamed class 1)", "b"])


def test_other_classes_are_refused_by_name():
    with pytest.raises(
        UserError, match=r"its classes are not in the data \('b'\); 1 of the data's .* not in it \('c'\)"
    ):
        class_order(["a", "b"], ["a", "c"])
    with pytest.raises(UserError, match=r"it knows 2 classes and the data names 3; 1 of the data's"):
        class_order(["a", "b"], ["a", "b", "c"])
