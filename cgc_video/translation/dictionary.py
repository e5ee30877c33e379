"""The tokens of one language and their numbers, in fairseq's format: a text file of lines ``token count``.

The special tokens ``<s>``, ``<pad>``, ``</s>`` and ``<unk>`` have the numbers 0 to 3; the file does not hold them.
Sizes, such as the 8,848 of Table 6's German side, count them.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import UserError
from .special_tokens import UNK
from .text_files import read_lines, write_lines

__all__ = ["SPECIALS", "Dictionary"]

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")  # by their numbers in special_tokens


class Dictionary:
    """Numbers of tokens.

    Args:
        tokens: Tokens from number 4 on.
        counts: How often each occurs in the training data; kept for the file alone.
        source: What the dictionary is called in messages.
    """

    def __init__(self, tokens: Iterable[str], counts: Sequence[int] | None = None, source: str = "dictionary") -> None:
        self.tokens = [*SPECIALS, *tokens]
        self.counts = [0] * len(self.tokens) if counts is None else [0] * len(SPECIALS) + list(counts)
        self.source = source
        numbers = {token: number for number, token in enumerate(self.tokens)}
        if len(numbers) < len(self.tokens):
            twice = next(token for number, token in enumerate(self.tokens) if numbers[token] != number)
            raise UserError(
                f"{source} holds {twice!r} twice (the specials {SPECIALS} are in every dictionary); remove one."
            )
        # a text that spells a special means no special
        self._numbers = {token: number for token, number in numbers.items() if number >= len(SPECIALS)}

    @classmethod
    def count(cls, lines: Iterable[str], multiple: int = 8, source: str = "dictionary") -> "Dictionary":
        """Make the dictionary of a tokenised text: frequent tokens first, tokens of one frequency in alphabetical
        order.

        Args:
            multiple: The size is rounded up to a multiple of it with tokens ``madeupword0000``, as fairseq does.
        """
        counts: dict[str, int] = {}
        for line in lines:
            for token in line.split():
                counts[token] = counts.get(token, 0) + 1
        for special in SPECIALS:
            counts.pop(special, None)
        tokens = sorted(counts, key=lambda token: (-counts[token], token))
        made_up = (f"madeupword{number:04}" for number in range(multiple))
        tokens += [token for token in made_up if token not in counts][: -(len(tokens) + len(SPECIALS)) % multiple]
        return cls(tokens, [counts.get(token, 0) for token in tokens], source)

    @classmethod
    def load(cls, path: str | Path) -> "Dictionary":
        """Read a dictionary file.

        Raises:
            UserError: If it cannot be read, or a line is not ``token count``.
        """
        tokens, counts = [], []
        for number, line in enumerate(read_lines(path, "dictionary"), start=1):
            token, _, count = line.rpartition(" ")
            if not token or not count.isdecimal():
                raise UserError(
                    f"dictionary ({path}), line {number} ({line!r}): a line must read 'token count'; mend it."
                )
            tokens.append(token)
            counts.append(int(count))
        if not tokens:
            raise UserError(f"dictionary ({path}) is empty; it needs a line 'token count' per token.")
        return cls(tokens, counts, str(path))

    @classmethod
    def of(cls, entry: str | Sequence[str]) -> "Dictionary":
        """A dictionary as ``metainfo`` of a data set holds it: the path of its file, or its tokens."""
        return cls.load(entry) if isinstance(entry, str) else cls(entry, source="the data's own dictionary")

    def save(self, path: Path) -> None:
        """Write the tokens behind the specials, with their counts."""
        rows = zip(self.tokens, self.counts, strict=True)
        write_lines(path, [f"{token} {count}" for token, count in rows][len(SPECIALS) :])

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Numbers of tokens; one that is not in the dictionary gets that of ``<unk>``."""
        return [self._numbers.get(token, UNK) for token in tokens]

    def decode(self, numbers: Iterable[int]) -> list[str]:
        return [self.tokens[number] for number in numbers]

    def unknown(self, tokens: Iterable[str]) -> list[str]:
        """Those tokens that are not in the dictionary."""
        return [token for token in tokens if token not in self._numbers]

    @property
    def digest(self) -> str:
        """Tells dictionaries apart: equal if and only if all numbers mean the same tokens."""
        return hashlib.sha256("\n".join(self.tokens).encode()).hexdigest()[:16]
