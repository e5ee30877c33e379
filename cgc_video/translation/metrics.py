"""BLEU of translations and accuracy of tags, registered as metrics.

A result is known by its sentence's index, so that sentences may come in any order, sorted by length, and from any
process.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmaction.registry import METRICS
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import BaseMetric

from ..errors import UserError
from .batches import IGNORED
from .dictionary import Dictionary
from .optional import optional_package
from .text import remove_bpe
from .text_files import write_lines

__all__ = ["BLEU", "TagAccuracy", "corpus_bleu"]


def corpus_bleu(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """BLEU-4 of tokenised text without regard to case: no smoothing, no further tokenisation (sacrebleu's ``none`` for
    both).

    Args:
        translations: Tokens between spaces, BPE removed.
        references: Likewise, one each.
    Returns:
        ``bleu`` in 0..100, ``brevity_penalty`` in 0..1, ``length_ratio`` of translations to references.
    """
    bleu = optional_package("sacrebleu").BLEU(tokenize="none", smooth_method="none", lowercase=True, force=True)
    score = bleu.corpus_score(list(translations), [list(references)])
    return {"bleu": score.score, "brevity_penalty": score.bp, "length_ratio": score.ratio}


class SentenceMetric(BaseMetric):
    """Keeps ``(index, *result)`` of each sentence, and computes over the sentences in their order."""

    def evaluate(self, size: int) -> dict[str, float]:
        """As the base class, whose way of gathering assumes a certain sampler.

        Raises:
            RuntimeError: If a sentence of the data set has no result.
        """
        found = {index: result for part in all_gather_object(self.results) for index, *result in part}
        self.results.clear()
        if len(found) != size:
            raise RuntimeError(
                f"{len(found)} of {size} sentences were evaluated; a result over another number would not be "
                "comparable."
            )
        metrics = self.compute_metrics([found[index] for index in sorted(found)])
        return {f"{self.prefix}/{name}": value for name, value in metrics.items()}


@METRICS.register_module()
class BLEU(SentenceMetric):
    """``translation/bleu`` (0..100, see ``corpus_bleu``), ``brevity_penalty``, ``length_ratio`` and ``sentences``.

    The data samples hold ``pred_tokens``, ``reference`` and ``index``; the target dictionary is that of the data set.

    Args:
        out_dir: Folder for ``<file_prefix>translations.txt``, a line ``reference <tab> translation`` per sentence;
            None writes none.
    """

    default_prefix = "translation"

    def __init__(self, out_dir: str | None = None, file_prefix: str = "", prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        optional_package("sacrebleu")  # missed now rather than after an epoch
        self.out_dir = None if out_dir is None else Path(out_dir)
        self.file_prefix = file_prefix

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        self.results += [(s["index"], s["pred_tokens"].tolist(), s["reference"]) for s in data_samples]

    def compute_metrics(self, results: list) -> dict[str, float]:
        dictionary = Dictionary.of((self.dataset_meta or {})["target_dictionary"])
        translations = [remove_bpe(" ".join(dictionary.decode(tokens))) for tokens, _ in results]
        references = [reference for _, reference in results]
        if self.out_dir is not None and is_main_process():
            self.out_dir.mkdir(parents=True, exist_ok=True)
            rows = map("\t".join, zip(references, translations, strict=True))
            write_lines(self.out_dir / f"{self.file_prefix}translations.txt", rows)
        return {**corpus_bleu(translations, references), "sentences": len(results)}


@METRICS.register_module()
class TagAccuracy(SentenceMetric):
    """``tagging/accuracy`` in 0..1 over the tokens whose ``gt_tags`` is not -100, and ``tagging/tokens``, how many."""

    default_prefix = "tagging"

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            scored = sample["gt_tags"] != IGNORED
            right = (sample["pred_tags"] == sample["gt_tags"]) & scored
            self.results.append((sample["index"], int(right.sum()), int(scored.sum())))

    def compute_metrics(self, results: list) -> dict[str, float]:
        right, scored = (sum(column) for column in zip(*results, strict=True))
        if not scored:
            raise UserError("no token of the data is scored (all tags are -100); make the sentences longer.")
        return {"accuracy": right / scored, "tokens": scored}
