"""Two tasks that need no download, drawn from a seed: only a layer that sees the whole sentence can solve them.

A mode token says which permutation of the symbols the answer takes. It lies beyond the receptive field of the
encoder's convolutions, so that it reaches a token through the context of a gate alone.
"""

import string
from typing import Any

import numpy as np
from mmaction.registry import DATASETS
from torch.utils.data import Dataset

from ..errors import UserError
from .batches import IGNORED
from .datasets import SentencePairs
from .dictionary import SPECIALS, Dictionary

__all__ = ["ModeCopies", "ModeTags", "permutations"]

SYMBOLS = 20
_TASK_SEED = 0  # of the permutations, which training and test share


def permutations(modes: int) -> np.ndarray:
    """``(modes, 20)``: a permutation of the symbols per mode; as no two agree anywhere, a guess fits one mode."""
    first = np.random.default_rng(_TASK_SEED).permutation(SYMBOLS)
    return np.stack([np.roll(first, shift) for shift in range(modes)])


def _draw(sentences: int, lengths: tuple[int, int], modes: int, seed: int) -> list[tuple[np.ndarray, int, float]]:
    """Symbols, mode, and a number in 0..1, for each sentence."""
    if sentences < 1 or not 1 <= lengths[0] <= lengths[1]:
        raise UserError(
            f"sentences ({sentences}) and lengths ({tuple(lengths)}) must be at least 1 and in order; correct the "
            "config."
        )
    rng = np.random.default_rng(seed)
    sizes = rng.integers(lengths[0], lengths[1] + 1, sentences)
    symbols = np.split(rng.integers(SYMBOLS, size=sizes.sum()), np.cumsum(sizes)[:-1])
    return list(zip(symbols, rng.integers(modes, size=sentences).tolist(), rng.random(sentences).tolist(), strict=True))


@DATASETS.register_module()
class ModeTags(Dataset):
    """Sequences of 20 symbols with one of four mode tokens at a random place; the tag of a symbol is its image under
    the mode's permutation.

    Numbers: specials 0 to 3, symbols 4 to 23, modes 24 to 27; tags 0 to 19.

    Args:
        sentences: How many.
        seed: Of the sentences.
        scored_beyond: Only tokens farther than this from the mode token have a tag; 0 leaves out the mode token alone.
        lengths: Fewest and most symbols.
    """

    unit = "sentence"
    modes = 4

    def __init__(self, sentences: int, seed: int, scored_beyond: int = 0, lengths: tuple[int, int] = (10, 24)) -> None:
        images = permutations(self.modes)
        self.samples = []
        for symbols, mode, place in _draw(sentences, lengths, self.modes, seed):
            position = int(place * (len(symbols) + 1))
            source = np.insert(symbols, position, SYMBOLS + mode) + len(SPECIALS)
            tags = np.insert(images[mode][symbols], position, IGNORED)
            tags[np.abs(np.arange(len(tags)) - position) <= scored_beyond] = IGNORED
            self.samples.append((source, tags))
        self.lengths = np.array([[len(source)] for source, _ in self.samples])
        self.metainfo: dict[str, Any] = {"task": "mode tags"}

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        source, tags = self.samples[index]
        return {"source": source, "target": tags, "index": index}


@DATASETS.register_module()
class ModeCopies(SentencePairs):
    """Sentences of 20 symbols with one of two mode tokens at the end; the translation is the symbols' images, without
    the mode token.

    Args:
        sentences: How many.
        seed: Of the sentences.
        lengths: Fewest and most symbols.
    """

    modes = 2

    def __init__(self, sentences: int, seed: int, lengths: tuple[int, int] = (5, 12)) -> None:
        letters = list(string.ascii_lowercase[:SYMBOLS])
        target = Dictionary(letters, source="the letters of ModeCopies")
        source = Dictionary([*letters, *(f"mode{mode}" for mode in range(self.modes))], source=target.source)
        images = permutations(self.modes)
        pairs, references = [], []
        for symbols, mode, _ in _draw(sentences, lengths, self.modes, seed):
            answer = (images[mode][symbols] + len(SPECIALS)).tolist()
            pairs.append(([*(symbols + len(SPECIALS)).tolist(), SYMBOLS + mode + len(SPECIALS)], answer))
            references.append(" ".join(target.decode(answer)))
        tokens = {"source_dictionary": source.tokens, "target_dictionary": target.tokens}
        metainfo = {name: value[len(SPECIALS) :] for name, value in tokens.items()}
        super().__init__(pairs, references, (source, target), {**metainfo, "bpe_codes": None, "languages": None})
