"""Preparing IWSLT'14: the steps one by one, and an archive that is not all there."""

import tarfile
from pathlib import Path

import pytest

from cgc_video.errors import UserError
from cgc_video.translation.iwslt14 import clean_pairs, plain_training_lines, prepare_iwslt14, segments
from cgc_video.translation.iwslt14_archive import NAMES, TEST_SETS, Archive

TRAINING = {
    "de": ["<title>Ein Titel</title>", *(f"Das ist Satz Nummer {n}, ja?" for n in range(45)), ""],
    "en": ["<title>A title</title>", *(f"This is sentence number {n}, isn't it?" for n in range(45)), "left alone"],
}


@pytest.fixture
def folder(tmp_path) -> Path:
    """The official files, unpacked, in miniature: 47 training lines, 2 sentences in each test set."""
    root = tmp_path / "iwslt14" / "de-en"
    root.mkdir(parents=True)
    for language, lines in TRAINING.items():
        talk = ["<url>http://x</url>", "<keywords>a, b</keywords>", "<talkid>1</talkid>", *lines]
        (root / f"train.tags.de-en.{language}").write_text("".join(f"{line}\n" for line in talk))
        for number, part in enumerate(TEST_SETS):
            text = f'<doc>\n<seg id="1"> Eins {number} </seg>\n<seg id="2">It’s zwei.</seg>\n</doc>\n'
            (root / f"IWSLT14.{part}.de-en.{language}.xml").write_text(text)
    return root.parent


def test_tags_come_off_and_lines_about_a_talk_are_left_out():
    lines = [
        "<url>u</url>",
        "<title>A b</title>",
        "<description>TED: c</description>",
        " text ",
        "<keywords>k</keywords>",
    ]
    assert plain_training_lines(lines) == ["A b", "TED: c", "text"]


def test_segments_of_a_test_set():
    lines = ["<doc>", '<seg id="1"> It’s here. </seg>', "<hl>no</hl>", '  <seg id="12">a < b</seg>']
    assert segments(lines) == ["It's here.", "a < b"]


def test_cleaning():
    keep = ("a " * 2, "b b  b")
    pairs = [keep, ("", "b"), ("a " * 176, "b " * 176), ("a " * 175, "b " * 175), ("a a", "b b b b"), ("x" * 1001, "b")]
    kept, left_out = clean_pairs(pairs)
    assert kept == [("a a", "b b b"), (" ".join("a" * 175), " ".join("b" * 175))]
    reasons = {"empty": 1, "over 175 tokens": 1, "with a ratio over 1.5": 1, "with an endless token": 1}
    assert left_out == reasons


def test_splits_texts_and_dictionaries(folder):
    steps = []
    prepared = prepare_iwslt14(folder, merges=30, progress=lambda step: lambda done, total: steps.append(step))
    # 46 pairs are left, of which every 23rd validates
    assert {split: len(pairs) for split, pairs in prepared.splits.items()} == {"train": 44, "valid": 2, "test": 10}
    assert prepared.left_out["empty"] == 1
    plain = {
        split: [tuple(side.replace("@@ ", "") for side in pair) for pair in p] for split, p in prepared.splits.items()
    }
    assert plain["train"][0] == ("ein titel", "a title")
    assert plain["valid"][0] == ("das ist satz nummer 21 , ja ?", "this is sentence number 21 , isn &apos;t it ?")
    assert plain["test"][:2] == [("eins 0", "eins 0"), ("it &apos; s zwei .", "it &apos;s zwei .")]
    assert [pair[0] for pair in plain["test"][::2]] == [f"eins {number}" for number in range(5)]
    assert len(prepared.codes) == 31
    pieces = {piece for pair in prepared.splits["train"] for piece in pair[0].split()}
    assert pieces <= set(prepared.dictionaries[0].tokens)
    assert len(prepared.dictionaries[1]) % 8 == 0
    assert set(steps) == {
        f"Tokenised {what} text, {side}: line" for what in ("training", "test") for side in ("de", "en")
    }
    assert prepared.lines()[2].endswith(
        f"model.encoder.vocabulary_size={len(prepared.dictionaries[0])} "
        f"model.decoder.vocabulary_size={len(prepared.dictionaries[1])}"
    )
    assert prepared.lines()[0].startswith("pairs: 44 train, 2 valid, 10 test; left out: 1 empty, 0 over 175 tokens")


@pytest.mark.parametrize("inside", [True, False])
def test_the_archive_itself(folder, tmp_path, inside):
    expected = prepare_iwslt14(folder, merges=30)
    with tarfile.open(tmp_path / "de-en.tgz", "w:gz") as archive:
        archive.add(folder / "de-en", "de-en")
    root = tmp_path if inside else tmp_path / "de-en.tgz"
    assert prepare_iwslt14(root, merges=30).splits == expected.splits


def test_an_empty_sentence_of_the_test_sets_is_counted(folder):
    path = folder / "de-en" / NAMES[2]
    path.write_text(path.read_text().replace(" Eins 0 ", "  "))
    prepared = prepare_iwslt14(folder, merges=30)
    assert len(prepared.splits["test"]) == 9
    assert prepared.left_out["empty in the test sets"] == 1


def test_a_missing_archive_says_what_to_put_where(tmp_path):
    with pytest.raises(UserError) as error:
        Archive(tmp_path)
    for part in (f"{tmp_path}/de-en.tgz", f"{tmp_path}/de-en with train.tags.de-en.de", "TEDX.dev2012", "IWSLT 2014"):
        assert part in str(error.value)


def test_what_an_archive_may_lack(folder, tmp_path):
    german = folder / "de-en" / NAMES[0]
    german.write_text(german.read_text() + "one more\n")
    with pytest.raises(UserError, match="de-en.de has 48 lines of text and .*de-en.en has 47, which must be equal"):
        prepare_iwslt14(folder)
    german.write_bytes(b"gut\nsch\xf6n\n")
    with pytest.raises(UserError, match="train.tags.de-en.de, line 2, is not UTF-8"):
        prepare_iwslt14(folder)
    (folder / "de-en" / NAMES[1]).unlink()
    german.write_text("gut\n")
    with pytest.raises(UserError, match="train.tags.de-en.en is missing; put the complete official archive"):
        prepare_iwslt14(folder)
    (tmp_path / "de-en.tgz").write_bytes(b"no archive")
    with pytest.raises(UserError, match="de-en.tgz cannot be unpacked"):
        prepare_iwslt14(tmp_path)
