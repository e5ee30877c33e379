"""Sentence pairs of files: what is read, and every way in which they may be wrong."""

import logging
from pathlib import Path

import numpy as np
import pytest

from cgc_video.errors import UserError
from cgc_video.translation.datasets import ParallelText
from cgc_video.translation.dictionary import Dictionary
from cgc_video.translation.special_tokens import EOS, UNK
from cgc_video.translation.text_files import write_lines

GERMAN = ["guten mor@@ gen", "ja", "nein , dan@@ ke"]
ENGLISH = ["good mor@@ ning", "yes", "no , thanks"]


@pytest.fixture
def files(tmp_path) -> Path:
    """Three pairs with their dictionaries."""
    for language, lines in (("de", GERMAN), ("en", ENGLISH)):
        write_lines(tmp_path / f"a.{language}", lines)
        Dictionary.count(lines, multiple=1).save(tmp_path / f"dict.{language}.txt")
    return tmp_path


def read(folder: Path, **kwargs) -> ParallelText:
    names = {"source_file": "a.de", "target_file": "a.en", "source_dictionary": "dict.de.txt"}
    return ParallelText(data_root=str(folder), **{**names, "target_dictionary": "dict.en.txt", **kwargs})


def test_pairs_end_in_the_end_and_references_have_no_pieces(files):
    data = read(files, bpe_codes="code")
    assert len(data) == 3
    sample = data[0]
    assert sample["source"].dtype == np.int64
    assert sample["source"][-1] == sample["target"][-1] == EOS
    assert data.source_dictionary.decode(sample["source"][:-1]) == GERMAN[0].split()
    assert data.target_dictionary.decode(data[2]["target"][:-1]) == ENGLISH[2].split()
    assert (sample["reference"], sample["index"]) == ("good morning", 0)
    assert data.lengths.tolist() == [[4, 4], [2, 2], [5, 4]]
    assert data.metainfo["source_dictionary"] == str(files / "dict.de.txt")
    assert data.metainfo["bpe_codes"] == str(files / "code")
    assert data.metainfo["target_digest"] == data.target_dictionary.digest
    assert data.metainfo["languages"] == ["de", "en"]


def test_unknown_tokens_are_told_and_read_as_such(files, caplog):
    write_lines(files / "a.de", ["guten abend", *GERMAN[1:]])
    with caplog.at_level(logging.INFO):
        data = read(files, max_unknown_share=0.5)
    assert data[0]["source"].tolist()[1] == UNK
    with pytest.raises(
        UserError,
        match=r"1 of the 7 tokens of .*a.de are not in .*dict.de.txt \('abend'\), more than .*\(0.1\): the dic",
    ):
        read(files)


def test_the_dictionary_of_other_data(files):
    with pytest.raises(UserError, match="are not in .*dict.en.txt .*: the dictionary is of other data"):
        read(files, source_dictionary="dict.en.txt")


def test_an_empty_line(files):
    write_lines(files / "a.en", ["good", " ", "no"])
    with pytest.raises(UserError, match="a.en, line 2, is empty; remove the line from both files"):
        read(files)


def test_a_sentence_over_the_limit(files):
    assert len(read(files, max_length=5)) == 3
    with pytest.raises(UserError, match=r"a.de, line 3, has 4 tokens and </s>, more than max_length \(4\)"):
        read(files, max_length=4)


def test_sides_of_different_length_and_empty_files(files):
    write_lines(files / "a.en", ENGLISH[:2])
    with pytest.raises(UserError, match="a.de has 3 lines and .*a.en has 2"):
        read(files)
    write_lines(files / "a.de", [])
    write_lines(files / "a.en", [])
    with pytest.raises(UserError, match="are empty; prepare the data again"):
        read(files)


def test_text_that_is_not_utf8(files):
    (files / "a.de").write_bytes("guten\nja\nschön".encode("latin-1"))
    with pytest.raises(UserError, match="a.de, line 3, is not UTF-8"):
        read(files)
