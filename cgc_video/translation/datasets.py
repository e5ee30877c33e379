"""Sentence pairs of prepared text files."""

import os
from typing import Any

import numpy as np
from mmaction.registry import DATASETS
from mmengine.logging import print_log
from torch.utils.data import Dataset

from ..errors import UserError
from .dictionary import Dictionary
from .special_tokens import EOS, UNK
from .text import remove_bpe
from .text_files import read_pairs

__all__ = ["ParallelText", "SentencePairs"]


class SentencePairs(Dataset):
    """Pairs of numbered sentences, as the batches of ``batches`` need them.

    Attributes:
        lengths: Tokens of each side, ``</s>`` included, ``(sentences, 2)``.
        metainfo: What goes into checkpoints: the dictionaries as ``Dictionary.of`` takes them, the digests of both (see
            ``Dictionary.digest``), and how the text was made.
        unit: What the data set counts.
    """

    unit = "sentence"

    def __init__(
        self,
        pairs: list[tuple[list[int], list[int]]],
        references: list[str],
        dictionaries: tuple[Dictionary, Dictionary],
        metainfo: dict[str, Any],
    ) -> None:
        # flat arrays: the loader's workers share them, where they would copy lists page by page as they touch them
        self._sides = tuple(_Ragged([side + [EOS] for side in sides]) for sides in zip(*pairs, strict=True))
        self.references = references
        self.source_dictionary, self.target_dictionary = dictionaries
        self.metainfo = {**metainfo, "source_digest": dictionaries[0].digest, "target_digest": dictionaries[1].digest}
        self.lengths = np.stack([side.lengths for side in self._sides], axis=1)

    def __len__(self) -> int:
        return len(self.references)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """``source`` and ``target`` (int64, each with ``</s>``), ``reference`` (text, BPE removed) and ``index``."""
        source, target = (side[index] for side in self._sides)
        return {"source": source, "target": target, "reference": self.references[index], "index": index}


@DATASETS.register_module()
class ParallelText(SentencePairs):
    """Two files of tokenised text, split into the pieces of the dictionaries, whose lines of one number are
    translations.

    Args:
        source_file, target_file: Text files; one sentence per line, pieces between spaces (see ``iwslt14``).
        source_dictionary, target_dictionary: Dictionary files.
        bpe_codes: The code file that split the text; recorded for ``tools/translate.py``.
        data_root: Folder that these paths are relative to.
        languages: Of source and target, as sacremoses names them; recorded, too.
        max_length: Most tokens of a sentence.
        max_unknown_share: Greatest share of tokens that a dictionary may lack, in 0..1; beyond it, the dictionary is
            of other data.

    Raises:
        UserError: If the files do not fit each other, a line is empty, a sentence is too long, or too many tokens are
            unknown.
    """

    # what must be there, for the start-up check
    file_keys = ("source_file", "target_file", "source_dictionary", "target_dictionary", "bpe_codes")

    def __init__(
        self,
        source_file: str,
        target_file: str,
        source_dictionary: str,
        target_dictionary: str,
        bpe_codes: str | None = None,
        data_root: str = "",
        languages: tuple[str, str] = ("de", "en"),
        max_length: int = 1024,
        max_unknown_share: float = 0.1,
    ) -> None:
        files = [os.path.join(data_root, name) for name in (source_file, target_file)]
        paths = [os.path.join(data_root, name) for name in (source_dictionary, target_dictionary)]
        dictionaries = Dictionary.load(paths[0]), Dictionary.load(paths[1])
        lines = read_pairs(*files)
        if not lines:
            raise UserError(f"{files[0]} and {files[1]} are empty; prepare the data again.")
        sides = [
            _encode([pair[side] for pair in lines], files[side], dictionaries[side], max_length, max_unknown_share)
            for side in (0, 1)
        ]
        metainfo = {"source_dictionary": paths[0], "target_dictionary": paths[1], "languages": list(languages)}
        metainfo["bpe_codes"] = None if bpe_codes is None else os.path.join(data_root, bpe_codes)
        references = [remove_bpe(" ".join(target.split())) for _, target in lines]
        super().__init__(list(zip(*sides, strict=True)), references, dictionaries, metainfo)


class _Ragged:
    """Rows of different lengths in one array."""

    def __init__(self, rows: list[list[int]]) -> None:
        self.lengths = np.array([len(row) for row in rows])
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)])
        self._values = np.fromiter((value for row in rows for value in row), np.int32, self._starts[-1])

    def __getitem__(self, index: int) -> np.ndarray:
        return self._values[self._starts[index] : self._starts[index + 1]].astype(np.int64)


def _encode(lines: list[str], path: str, dictionary: Dictionary, max_length: int, max_share: float) -> list[list[int]]:
    """Numbers of all sentences of a file, without ``</s>``."""
    encoded, total, missing = [], 0, []
    for number, line in enumerate(lines, start=1):
        tokens = line.split()
        if not tokens:
            raise UserError(
                f"{path}, line {number}, is empty; remove the line from both files, or prepare the data again."
            )
        if len(tokens) + 1 > max_length:
            raise UserError(
                f"{path}, line {number}, has {len(tokens)} tokens and </s>, more than max_length ({max_length}); "
                "shorten the sentence in both files, or raise max_length in the config."
            )
        numbers = dictionary.encode(tokens)
        total += len(numbers)
        if UNK in numbers:
            missing += dictionary.unknown(tokens)
        encoded.append(numbers)
    if missing:
        _report_unknown(path, dictionary, missing, total, max_share)
    return encoded


def _report_unknown(path: str, dictionary: Dictionary, missing: list[str], total: int, max_share: float) -> None:
    examples = ", ".join(repr(token) for token in list(dict.fromkeys(missing))[:5])
    found = f"{len(missing):,} of the {total:,} tokens of {path} are not in {dictionary.source} ({examples})"
    if len(missing) > max_share * total:
        raise UserError(
            f"{found}, more than a share of max_unknown_share ({max_share:g}): the dictionary is of other data; "
            "give the one that was prepared with this text."
        )
    print_log(f"{found}: they are read as <unk>.", logger="current")
