"""Dictionaries: fairseq's file, the specials, and what is refused."""

import pytest

from cgc_video.errors import UserError
from cgc_video.translation.dictionary import SPECIALS, Dictionary
from cgc_video.translation.special_tokens import BOS, EOS, PAD, UNK


def test_specials_have_fairseqs_numbers():
    assert [SPECIALS[number] for number in (BOS, PAD, EOS, UNK)] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert len(Dictionary(["a", "b"])) == 6
    assert Dictionary(["a", "b"]).encode(["b", "a", "z"]) == [5, 4, UNK]


def test_counting_sorts_by_frequency_then_alphabet_and_rounds_the_size_up():
    dictionary = Dictionary.count(["b a a", "c b a d"], multiple=8)
    assert dictionary.tokens == [*SPECIALS, "a", "b", "c", "d"]
    assert len(Dictionary.count(["a b c d e"])) == 16
    assert Dictionary.count(["a b c d e"]).tokens[9] == "madeupword0000"
    assert len(Dictionary.count(["a b c d e"], multiple=1)) == 9


def test_file_round_trip(tmp_path):
    dictionary = Dictionary.count(["der tag", "der &quot;"])
    dictionary.save(tmp_path / "dict.txt")
    lines = (tmp_path / "dict.txt").read_text().splitlines()
    assert lines[:3] == ["der 2", "&quot; 1", "tag 1"]
    loaded = Dictionary.load(tmp_path / "dict.txt")
    assert loaded.tokens == dictionary.tokens
    assert loaded.counts == dictionary.counts
    assert loaded.digest == dictionary.digest != Dictionary(["der"]).digest
    assert Dictionary.of(str(tmp_path / "dict.txt")).tokens == Dictionary.of(dictionary.tokens[4:]).tokens


def test_text_that_spells_a_special_means_no_special():
    dictionary = Dictionary.count(["a </s> <pad>"], multiple=1)
    assert dictionary.tokens == [*SPECIALS, "a"]
    assert dictionary.encode(["</s>", "<pad>", "a"]) == [UNK, UNK, 4]
    assert dictionary.unknown(["</s>", "a"]) == ["</s>"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a 1\nb\n", r"dict.txt\), line 2 \('b'\): a line must read 'token count'"),
        (b"a 1\na 2\n", "holds 'a' twice"),
        (b"<pad> 1\n", "holds '<pad>' twice"),
        (b"", "is empty"),
        (b"a 1\n\xff 2\n", "line 2, is not UTF-8 .byte 0xff at position 1"),
    ],
)
def test_what_is_no_dictionary(tmp_path, content, said):
    (tmp_path / "dict.txt").write_bytes(content)
    with pytest.raises(UserError, match=said):
        Dictionary.load(tmp_path / "dict.txt")


def test_missing_dictionary(tmp_path):
    with pytest.raises(UserError, match="cannot be read: No such file"):
        Dictionary.load(tmp_path / "dict.txt")
