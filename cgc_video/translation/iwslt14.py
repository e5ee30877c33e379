"""IWSLT'14 German-English: from the official archive to the text files, codes and dictionaries that the configs read.

The steps and their order are those of fairseq's public preparation (``examples/translation/prepare-iwslt14.sh``),
whose data the paper uses: tags off, tokenised, cleaned, lower-cased, every 23rd pair to validation, 10K joint BPE
codes of the training pairs.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..errors import UserError
from .dictionary import Dictionary
from .iwslt14_archive import LANGUAGES, TEST_SETS, Archive
from .iwslt14_prepared import Pair, Prepared
from .text import BytePairCodes, learn_codes
from .tokenizing import tokenize_lines

__all__ = ["MERGES", "clean_pairs", "plain_training_lines", "prepare_iwslt14", "segments"]

MERGES = 10_000
MAX_TOKENS, MAX_RATIO, MAX_TOKEN_LENGTH = 175, 1.5, 1000
VALIDATION_EVERY = 23

Progress = Callable[..., None]

_SKIPPED = ("<url>", "<talkid>", "<keywords>")
_TAGS = re.compile("</?(?:title|description)>")
_SEGMENT = re.compile(r'<seg id="\d*">\s*(.*?)\s*</seg>')


def prepare_iwslt14(
    root: str | Path, merges: int = MERGES, workers: int = 1, progress: Callable[[str], Progress] | None = None
) -> Prepared:
    """Prepare the official archive.

    Args:
        root: ``de-en.tgz``, or a folder that holds it or what it contains.
        merges: BPE codes to learn.
        workers: Processes that tokenise.
        progress: Called with the name of a long step; returns what is called with the lines done and their total.
    Raises:
        UserError: If the archive or one of its files is missing, or the sides of a file differ in length.
    """
    archive, progress = Archive(root), progress or (lambda step: lambda done, total: None)

    def tokenized(lines: list[str], language: str, what: str) -> list[str]:
        return tokenize_lines(lines, language, workers, progress(f"Tokenised {what}, {language}: line"))

    training = [plain_training_lines(archive.lines("train", language)) for language in LANGUAGES]
    _require_equal(training, *(archive.path("train", language) for language in LANGUAGES))
    sides = [tokenized(*side, "training text") for side in zip(training, LANGUAGES, strict=True)]
    clean, left_out = clean_pairs(zip(*sides, strict=True))

    test_sides: list[list[str]] = [[], []]
    for name in TEST_SETS:
        found = [segments(archive.lines(name, language)) for language in LANGUAGES]
        _require_equal(found, *(archive.path(name, language) for language in LANGUAGES))
        test_sides = [have + more for have, more in zip(test_sides, found, strict=True)]
    tests = [tokenized(*side, "test text") for side in zip(test_sides, LANGUAGES, strict=True)]
    test = [pair for pair in zip(*tests, strict=True) if all(pair)]
    left_out["empty in the test sets"] = len(tests[0]) - len(test)

    texts = {
        "train": [_lower(pair) for number, pair in enumerate(clean, 1) if number % VALIDATION_EVERY],
        "valid": [_lower(pair) for number, pair in enumerate(clean, 1) if number % VALIDATION_EVERY == 0],
        "test": [_lower(pair) for pair in test],
    }
    for split, pairs in texts.items():
        if not pairs:
            raise UserError(f"{archive.root}: no pair is left for {split}; give the complete official archive.")
    codes = learn_codes((pair[side] for side in (0, 1) for pair in texts["train"]), merges)
    split_by = BytePairCodes(codes)
    splits = {name: [(split_by(pair[0]), split_by(pair[1])) for pair in pairs] for name, pairs in texts.items()}
    german, english = (Dictionary.count(pair[side] for pair in splits["train"]) for side in (0, 1))
    return Prepared(splits, codes, (german, english), left_out)


def plain_training_lines(lines: Iterable[str]) -> list[str]:
    """Leave out the lines about a talk that are no text, and take the tags off its title and description."""
    return [_TAGS.sub("", line).strip() for line in lines if not any(tag in line for tag in _SKIPPED)]


def segments(lines: Iterable[str]) -> list[str]:
    """Sentences of an XML test set, in which an apostrophe is the typewriter's."""
    return [found.group(1).replace("’", "'") for line in lines if (found := _SEGMENT.search(line))]


def clean_pairs(pairs: Iterable[Pair]) -> tuple[list[Pair], dict[str, int]]:
    """Leave out tokenised pairs that are empty, long, or of very different lengths, as Moses' ``clean-corpus-n`` does.

    Returns:
        The others, and how many were left out by reason.
    """
    kept, left_out = (
        [],
        {"empty": 0, f"over {MAX_TOKENS} tokens": 0, f"with a ratio over {MAX_RATIO}": 0, "with an endless token": 0},
    )
    for pair in pairs:
        tokens = [side.split() for side in pair]
        shorter, longer = sorted(map(len, tokens))
        reasons = (
            not shorter,
            longer > MAX_TOKENS,
            longer > MAX_RATIO * shorter,
            any(len(token) > MAX_TOKEN_LENGTH for side in tokens for token in side),
        )
        if any(reasons):
            left_out[list(left_out)[reasons.index(True)]] += 1
        else:
            kept.append((" ".join(tokens[0]), " ".join(tokens[1])))
    return kept, left_out


def _lower(pair: Pair) -> Pair:
    return pair[0].lower(), pair[1].lower()


def _require_equal(sides: Sequence[list[str]], german: str, english: str) -> None:
    counts = [len(side) for side in sides]
    if counts[0] != counts[1]:
        raise UserError(
            f"{german} has {counts[0]:,} lines of text and {english} has {counts[1]:,}, which must be equal; "
            "unpack the archive again."
        )
    if not counts[0]:
        raise UserError(f"{german} and {english} hold no text; unpack the archive again.")
