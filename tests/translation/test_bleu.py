"""BLEU against a count by hand, and metrics that do not mind the order of sentences."""

import math
import sys
from collections import Counter

import pytest
import sacrebleu
import torch

from cgc_video.errors import UserError
from cgc_video.translation.metrics import BLEU, TagAccuracy, corpus_bleu

TRANSLATIONS = ["the cat sat on the mat today .", "a dog ran home quickly now"]
REFERENCES = ["the cat sat on the mat .", "a dog ran home very quickly"]


def bleu_by_hand(translations: list[str], references: list[str]) -> float:
    """Papineni et al., 2002: clipped n-gram precisions up to 4, geometric mean, brevity penalty."""
    matches, totals = Counter(), Counter()
    pairs = [(t.split(), r.split()) for t, r in zip(translations, references, strict=True)]
    for translation, reference in pairs:
        for n in range(1, 5):
            grams = [Counter(tuple(s[i : i + n]) for i in range(len(s) - n + 1)) for s in (translation, reference)]
            matches[n] += sum((grams[0] & grams[1]).values())
            totals[n] += sum(grams[0].values())
    lengths = [sum(len(pair[side]) for pair in pairs) for side in (0, 1)]
    penalty = min(1.0, math.exp(1 - lengths[1] / lengths[0]))
    return 100 * penalty * math.exp(sum(math.log(matches[n] / totals[n]) for n in range(1, 5)) / 4)


def test_bleu_by_hand():
    found = corpus_bleu(TRANSLATIONS, REFERENCES)
    assert found["bleu"] == pytest.approx(bleu_by_hand(TRANSLATIONS, REFERENCES), abs=1e-6)
    assert found["brevity_penalty"] == 1.0
    short = [text.rsplit(" ", 2)[0] for text in TRANSLATIONS]
    found = corpus_bleu(short, REFERENCES)
    assert found["bleu"] == pytest.approx(bleu_by_hand(short, REFERENCES), abs=1e-6)
    assert found["brevity_penalty"] == pytest.approx(math.exp(1 - 13 / 10))


def test_case_does_not_count_smoothing_is_off_and_tokens_stay_as_they_are():
    assert corpus_bleu(["A b C d"], ["a B c D"])["bleu"] == pytest.approx(100)
    assert corpus_bleu(["a b"], ["a b"])["bleu"] == 0  # no 4-gram
    joined, apart = "he said &quot; no &quot; , then", "he said &quot; no &quot;, then"
    assert corpus_bleu([apart], [joined])["bleu"] < 100
    expected = sacrebleu.corpus_bleu(TRANSLATIONS, [REFERENCES], smooth_method="none", tokenize="none", force=True)
    assert corpus_bleu(TRANSLATIONS, REFERENCES)["bleu"] == pytest.approx(expected.score)


def sample(index: int, tokens: list[int], reference: str) -> dict:
    return {"index": index, "pred_tokens": torch.tensor(tokens, dtype=torch.long), "reference": reference}


def metric(**kwargs) -> BLEU:
    built = BLEU(**kwargs)
    built.dataset_meta = {"target_dictionary": ["the", "c@@", "at", "sat", "here", "."]}
    return built


def test_translations_are_decoded_and_their_pieces_joined(tmp_path):
    bleu = metric(out_dir=str(tmp_path / "eval"), file_prefix="test_")
    bleu.process(None, [sample(1, [4, 7, 8, 9], "the sat here ."), sample(0, [4, 5, 6, 7, 9], "the cat sat .")])
    found = bleu.evaluate(2)
    assert found["translation/bleu"] == pytest.approx(100)
    assert found["translation/sentences"] == 2
    text = (tmp_path / "eval" / "test_translations.txt").read_text()
    assert text == "the cat sat .\tthe cat sat .\nthe sat here .\tthe sat here .\n"


def test_an_unknown_token_and_an_empty_translation_count_against_it():
    bleu = metric()
    bleu.process(None, [sample(0, [4, 7, 8, 9], "the sat here ."), sample(1, [], "the cat")])
    assert bleu.evaluate(2)["translation/bleu"] == pytest.approx(100 * math.exp(1 - 6 / 4))
    bleu.process(None, [sample(0, [4, 7, 8, 9, 3], "the sat here . at")])
    assert 0 < bleu.evaluate(1)["translation/bleu"] < 100


def test_a_repeated_sentence_counts_once_and_a_missing_one_is_an_error():
    bleu = metric()
    bleu.process(None, [sample(0, [4, 7, 8, 9], "the sat here .")] * 2)
    assert bleu.evaluate(1)["translation/sentences"] == 1
    bleu.process(None, [sample(0, [4], "the")])
    with pytest.raises(RuntimeError, match="1 of 2 sentences were evaluated"):
        bleu.evaluate(2)


def test_a_missing_package_is_told_before_training(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(UserError, match="sacrebleu is needed for translation"):
        BLEU()


def test_tags_are_scored_where_they_are_given():
    accuracy = TagAccuracy()
    tags = torch.tensor([1, -100, 3, 4])
    accuracy.process(None, [{"index": 0, "gt_tags": tags, "pred_tags": torch.tensor([1, 2, 3, 0])}])
    accuracy.process(None, [{"index": 1, "gt_tags": torch.tensor([5]), "pred_tags": torch.tensor([5])}])
    assert accuracy.evaluate(2) == {"tagging/accuracy": 0.75, "tagging/tokens": 4}
    accuracy.process(None, [{"index": 0, "gt_tags": tags[1:2], "pred_tags": tags[:1]}])
    with pytest.raises(ValueError, match="no token of the data is scored"):
        accuracy.evaluate(1)
