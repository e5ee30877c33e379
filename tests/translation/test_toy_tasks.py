"""The two tasks: what the answer is, that it needs the mode, and that a seed draws the same sentences."""

import numpy as np
import pytest

from cgc_video.errors import UserError
from cgc_video.translation.dictionary import Dictionary
from cgc_video.translation.special_tokens import EOS
from cgc_video.translation.toy_tasks import SYMBOLS, ModeCopies, ModeTags, permutations


def test_modes_agree_on_no_symbol():
    images = permutations(4)
    assert all(sorted(row) == list(range(SYMBOLS)) for row in images.tolist())
    assert all(len(set(column)) == 4 for column in images.T.tolist())


def test_tags_are_the_images_of_the_symbols():
    data, images = ModeTags(50, seed=3), permutations(4)
    for index in range(len(data)):
        source, tags = (data[index][key] for key in ("source", "target"))
        (place,) = np.flatnonzero(source >= 4 + SYMBOLS)
        mode = source[place] - 4 - SYMBOLS
        symbols = np.delete(source, place) - 4
        assert 10 <= len(symbols) <= 24
        assert np.delete(tags, place).tolist() == images[mode][symbols].tolist()
        assert tags[place] == -100
    assert data.lengths[:, 0].tolist() == [len(data[index]["source"]) for index in range(50)]


def test_only_tokens_out_of_reach_are_scored():
    near, far = ModeTags(50, seed=3), ModeTags(50, seed=3, scored_beyond=2)
    for index in range(50):
        source = near[index]["source"]
        assert (source == far[index]["source"]).all()
        distance = np.abs(np.arange(len(source)) - int((source >= 24).argmax()))
        assert ((far[index]["target"] == -100) == (distance <= 2)).all()


def test_copies_are_images_without_the_mode():
    data, images = ModeCopies(40, seed=1), permutations(2)
    target = Dictionary.of(data.metainfo["target_dictionary"])
    for index in range(len(data)):
        source, answer = data[index]["source"].tolist(), data[index]["target"].tolist()
        *symbols, mode, end = source
        assert end == answer[-1] == EOS
        assert 5 <= len(symbols) <= 12
        assert [number - 4 for number in answer[:-1]] == images[mode - 24][np.array(symbols) - 4].tolist()
        assert data[index]["reference"] == " ".join(target.decode(answer[:-1]))


def test_seeds():
    def sources(seed: int) -> list:
        return [ModeCopies(20, seed)[index]["source"].tolist() for index in range(20)]

    assert sources(1) == sources(1) != sources(2)


def test_values_that_make_no_data():
    with pytest.raises(UserError, match=r"sentences \(0\) and lengths \(\(5, 12\)\) must be at least 1"):
        ModeCopies(0, seed=1)
    with pytest.raises(UserError, match=r"lengths \(\(9, 3\)\)"):
        ModeTags(3, seed=1, lengths=(9, 3))
