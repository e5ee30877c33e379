"""From plain text to tokens and back: Moses' tokenisation, lower case, byte pair encoding.

Sources: sacremoses for the tokeniser and detokeniser, subword-nmt for the codes; the same tools, and so the same
tokens, as in fairseq's preparation of IWSLT'14.
"""

import contextlib
import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import UserError
from .optional import optional_package
from .text_files import read_lines

__all__ = ["BytePairCodes", "Detokenizer", "Tokenizer", "learn_codes", "remove_bpe"]

_SEPARATOR = "@@"  # at the end of a piece that the next one continues


class Tokenizer:
    """Splits a line into tokens between single spaces, as Moses does for a language; special characters are escaped."""

    def __init__(self, language: str) -> None:
        self._moses = optional_package("sacremoses").MosesTokenizer(lang=language)

    def __call__(self, line: str) -> str:
        return self._moses.tokenize(line, return_str=True)


class Detokenizer:
    """Makes plain text of tokens."""

    def __init__(self, language: str) -> None:
        self._moses = optional_package("sacremoses").MosesDetokenizer(lang=language)

    def __call__(self, line: str) -> str:
        return self._moses.detokenize(line.split())


class BytePairCodes:
    """Splits tokens into the pieces of codes as subword-nmt writes them; a piece that the next one continues ends in
    ``@@``.

    Args:
        codes: Lines of a code file.
        source: What they are called in an error.
    Raises:
        UserError: If they are no codes.
    """

    def __init__(self, codes: Sequence[str], source: str = "BPE codes") -> None:
        first = 1 if codes and codes[0].startswith("#version:") else 0
        wrong = next(
            (number for number, line in enumerate(codes[first:], first + 1) if len(line.split(" ")) != 2), None
        )
        if wrong or len(codes) == first:
            raise UserError(
                f"{source}, line {wrong or first + 1}: a line must hold two pieces to merge; give the code file that "
                "subword-nmt wrote."
            )
        self._bpe = optional_package("subword_nmt.apply_bpe").BPE(io.StringIO("".join(f"{line}\n" for line in codes)))

    @classmethod
    def load(cls, path: str | Path) -> "BytePairCodes":
        return cls(read_lines(path, "BPE codes"), f"BPE codes ({path})")

    def __call__(self, line: str) -> str:
        return self._bpe.process_line(line)


def learn_codes(lines: Iterable[str], merges: int) -> list[str]:
    """Learn the codes of tokenised lines, as lines of a code file: a version, then at most ``merges`` pairs."""
    learned, learn_bpe = io.StringIO(), optional_package("subword_nmt.learn_bpe").learn_bpe
    # its progress bar would fill a log
    with contextlib.nullcontext() if sys.stderr.isatty() else contextlib.redirect_stderr(io.StringIO()):
        learn_bpe(lines, learned, merges)
    return learned.getvalue().splitlines()


def remove_bpe(text: str) -> str:
    """Join pieces into tokens again."""
    return f"{text} ".replace(f"{_SEPARATOR} ", "").rstrip()
