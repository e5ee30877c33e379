"""Lines, tokens, byte pair codes, and packages that are not there."""

import sys

import pytest

from cgc_video.errors import UserError
from cgc_video.translation.optional import optional_package
from cgc_video.translation.text import BytePairCodes, Detokenizer, Tokenizer, learn_codes, remove_bpe
from cgc_video.translation.text_files import decode_lines, read_lines, read_pairs, write_lines
from cgc_video.translation.tokenizing import tokenize_lines


def test_only_a_line_feed_ends_a_line(tmp_path):
    lines = ["a\u2028b\x0bc", "", "d\x85e"]
    write_lines(tmp_path / "a.txt", lines)
    assert read_lines(tmp_path / "a.txt") == lines
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    assert read_lines(tmp_path / "b.txt") == ["one", "two"]
    assert list(decode_lines(b"", "x")) == []


def test_text_that_is_not_utf8_names_line_and_byte():
    with pytest.raises(UserError, match=r"here, line 2, is not UTF-8 \(byte 0xfc at position 4 of the line\)"):
        list(decode_lines("gut\nfür".encode("latin-1").replace(b"f\xfcr", b"abc\xfc"), "here"))


def test_sides_with_different_numbers_of_lines(tmp_path):
    write_lines(tmp_path / "a.de", ["eins", "zwei"])
    write_lines(tmp_path / "a.en", ["one"])
    with pytest.raises(UserError, match=r"a.de has 2 lines and .*a.en has 1; .* both need the same number"):
        read_pairs(tmp_path / "a.de", tmp_path / "a.en")
    with pytest.raises(UserError, match="cannot be read"):
        read_pairs(tmp_path / "a.de", tmp_path / "b.en")


def test_moses_tokens_and_back():
    assert Tokenizer("en")("It's \"good\", isn't it?") == "It &apos;s &quot; good &quot; , isn &apos;t it ?"
    assert Tokenizer("de")("Das ist z.B. gut.") == "Das ist z.B. gut ."
    assert Detokenizer("en")("it &apos;s &quot; good &quot; , isn &apos;t it ?") == "it's \"good\", isn't it?"


def test_many_lines_in_processes():
    lines = [f"Number {number}, please!" for number in range(450)]
    seen = []
    found = tokenize_lines(lines, "en", workers=2, progress=lambda done, total: seen.append((done, total)))
    assert found == [f"Number {number} , please !" for number in range(450)]
    assert seen == [(200, 450), (400, 450), (450, 450)]
    assert tokenize_lines(lines, "en") == found
    assert tokenize_lines([], "en") == []


def test_codes_are_learned_applied_and_removed():
    codes = learn_codes(["low lower lowest low", "new newer newest new"], merges=20)
    assert codes[0].startswith("#version")
    assert 7 < len(codes) <= 21  # a pair is merged only if it is met twice
    split = BytePairCodes(codes)
    line = "lowest of the newer"
    assert "@@" in split(line)
    assert remove_bpe(split(line)) == line
    assert split("low") == "low"


def test_removing_codes_at_the_end_of_a_cut_sentence():
    assert remove_bpe("a@@ b c@@ d@@") == "ab cd"
    assert remove_bpe("") == ""


def test_what_are_no_codes(tmp_path):
    (tmp_path / "code").write_text("#version: 0.2\na b\na b c\n")
    with pytest.raises(UserError, match=r"code\), line 3: a line must hold two pieces"):
        BytePairCodes.load(tmp_path / "code")
    with pytest.raises(UserError, match="BPE codes, line 1"):
        BytePairCodes([])


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(UserError, match=r"the package sacrebleu is needed .* run `pip install -e .\[translation\]`"):
        optional_package("sacrebleu")
