"""The way from lines of text to numbers, through beam search, and back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..errors import UserError
from .batches import length_buckets, pad
from .dictionary import Dictionary
from .model import TranslationModel
from .special_tokens import EOS, PAD
from .text import remove_bpe

__all__ = ["Translator"]

MAX_LENGTH = 1024

Report = Callable[[str], None]


@dataclass
class Translator:
    """A model in evaluation mode with what prepares its input and reads its output.

    Attributes:
        prepare: Makes tokens between spaces of a line of text.
        finish: Makes text of the tokens of a translation.
        max_length: Most tokens of a line, ``</s>`` included.
    """

    model: TranslationModel
    source_dictionary: Dictionary
    target_dictionary: Dictionary
    prepare: Callable[[str], str]
    finish: Callable[[str], str]
    max_length: int = MAX_LENGTH

    def __call__(
        self,
        lines: Sequence[str],
        report: Report = lambda note: None,
        max_tokens: int = 4000,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[str]:
        """Translate lines, each as a sentence of its own; line n of the result is that of line n.

        Args:
            report: Gets a sentence on what was not translated as it stands: empty lines, and tokens that the
                dictionary lacks.
            max_tokens: Most tokens of a batch, padding included.
            progress: Called with the number of lines done and their total.
        Raises:
            UserError: If a line has more than ``max_length`` tokens; nothing is translated then.
        """
        sentences = self._encode(lines, report)
        full = [number for number, sentence in enumerate(sentences) if sentence]
        lengths = np.array([[len(sentences[number])] for number in full]).reshape(-1, 1)
        device = next(self.model.parameters()).device
        translations, done = [""] * len(lines), len(lines) - len(full)
        for batch in length_buckets(lengths, max(max_tokens, self.max_length)) if full else ():
            numbers = [full[index] for index in batch]
            source = pad([np.array(sentences[number]) for number in numbers], PAD).to(device)
            with torch.no_grad():
                found = self.model.translate(source)
            for number, hypothesis in zip(numbers, found, strict=True):
                tokens = self.target_dictionary.decode(hypothesis.tokens.tolist())
                translations[number] = self.finish(remove_bpe(" ".join(tokens)))
            progress(done := done + len(batch), len(lines))
        return translations

    def _encode(self, lines: Sequence[str], report: Report) -> list[list[int]]:
        """Numbers of each line with ``</s>``; nothing for an empty one."""
        sentences: list[list[int]] = []
        empty, total, unknown = [], 0, []
        for number, line in enumerate(lines, start=1):
            tokens = self.prepare(line).split()
            if len(tokens) + 1 > self.max_length:
                raise UserError(
                    f"line {number} has {len(tokens)} tokens and </s>, more than the limit ({self.max_length}); "
                    "split it into sentences."
                )
            if not tokens:
                empty.append(number)
            total += len(tokens)
            unknown += self.source_dictionary.unknown(tokens)
            sentences.append([*self.source_dictionary.encode(tokens), EOS] if tokens else [])
        if empty:
            report(f"{len(empty)} empty line(s), line {empty[0]} first: their translations are empty.")
        if unknown:
            examples = ", ".join(repr(token) for token in list(dict.fromkeys(unknown))[:5])
            report(
                f"{len(unknown):,} of {total:,} tokens are not in {self.source_dictionary.source} ({examples}): "
                "they are read as <unk>."
            )
        return sentences
