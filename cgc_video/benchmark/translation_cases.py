"""What the translation benchmark times: training steps of the rows of Table 6, and a token of decoding early and late in a sentence."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from .settings import Settings
from .step import Step

if TYPE_CHECKING:  # imports mmaction: only where a model is built
    from cgc_video.translation import TranslationModel

__all__ = ["CASES", "DecodingCase", "TrainingCase"]

SOURCE_WORDS, TARGET_WORDS = 8848, 6632  # dictionaries of Table 6
_CONV: dict[str, Any] = {"mixer": {"type": "LightweightConv", "weight_dropout": 0.1}}
_GATED: dict[str, Any] = {"mixer": {"type": "CGCLightweightConv", "weight_dropout": 0.1}}
_DYNAMIC: dict[str, Any] = {"mixer": {"type": "DynamicConv", "weight_dropout": 0.1}}
_ATTENTION: dict[str, Any] = {"mixer": {"type": "SelfAttention"}, "kernel_sizes": None, "num_layers": 6}
# Encoder and decoder of each row; ``plain`` is LightConv.
ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (_CONV, _CONV),
    "cgc": (_GATED, _CONV),
    "dynamic": (_DYNAMIC, _CONV),
    "transformer": (_ATTENTION, {**_ATTENTION, "tie_embeddings": True}),
}


def build(row: str, settings: Settings) -> "TranslationModel":
    """A row of Table 6 at full size, with random weights from a fixed seed."""
    from cgc_video.translation import TranslationModel

    encoder, decoder = ROWS[row]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = TranslationModel(
            {"vocabulary_size": SOURCE_WORDS, **encoder}, {"vocabulary_size": TARGET_WORDS, **decoder}
        )
    return model.to(settings.device)  # type: ignore[return-value]


class _Case:
    """Holds no kernels per sample, and no operations are counted."""

    def needed_bytes(self, formulation: str, training: bool) -> int:
        return 0

    def operations(self, training: bool) -> None:
        return None


@dataclass(frozen=True)
class TrainingCase(_Case):
    """Forward and backward of a batch, ``plain``: LightConv.

    Args:
        tokens: Of each side, padding included; two thirds of the sentences are shorter than the longest.
        length: Of the longest sentence.
    """

    name: str
    length: int
    tokens: int = 4000
    mode = "training"
    formulations = ("cgc", "dynamic", "transformer")

    @property
    def sentences(self) -> int:
        return max(1, self.tokens // self.length)

    @property
    def input(self) -> str:
        return f"{self.sentences} x {self.length} tokens"

    def batch(self) -> dict[str, torch.Tensor]:
        """Random sentences of two thirds of ``length`` and more, as batches of like length have them."""
        from cgc_video.translation.special_tokens import EOS, PAD, UNK

        generator = torch.Generator().manual_seed(1)
        lengths = torch.randint(2 * self.length // 3, self.length + 1, (self.sentences, 1), generator=generator)
        lengths[::3] = self.length
        position = torch.arange(self.length)
        shape = (self.sentences, self.length)
        source, target = (
            torch.randint(UNK + 1, words, shape, generator=generator) for words in (SOURCE_WORDS, TARGET_WORDS)
        )
        source, target = (
            side.where(position < lengths - 1, EOS).where(position < lengths, PAD) for side in (source, target)
        )
        target_input = torch.cat(
            [torch.full((self.sentences, 1), EOS), target[:, :-1].where(target[:, :-1] != EOS, PAD)], 1
        )
        return {"source": source, "target_input": target_input, "target": target}

    def step(self, formulation: str, training: bool, settings: Settings) -> Step:
        model = build(formulation, settings).train()
        batch = {name: tokens.to(settings.device) for name, tokens in self.batch().items()}

        def train() -> None:
            with settings.autocast():
                loss = model(**batch, mode="loss")["loss"]
            loss.backward()

        return Step(train, model.parameters())


@dataclass(frozen=True)
class DecodingCase(_Case):
    """The next token of all sentences, ``plain``: behind ``early`` tokens; ``late``: behind ``known``; ``anew``: by scoring those again."""

    name: str
    row: str
    sentences: int = 64
    beams: int = 1
    source_length: int = 25
    early: int = 8
    known: int = 128
    mode = "inference"
    formulations = ("late", "anew")

    @property
    def input(self) -> str:
        return f"{self.sentences} x {self.beams} hypotheses, {self.early} or {self.known} tokens"

    def step(self, formulation: str, training: bool, settings: Settings) -> Step:
        from cgc_video.translation.special_tokens import UNK

        model = build(self.row, settings).eval()
        generator = torch.Generator().manual_seed(1)
        source = torch.randint(UNK + 1, SOURCE_WORDS, (self.sentences, self.source_length), generator=generator)
        shape = (self.sentences, self.beams, self.known + 1)
        known = torch.randint(UNK + 1, TARGET_WORDS, shape, generator=generator).to(settings.device)
        with torch.inference_mode(), settings.autocast():
            encoded = model.encoder(source.to(settings.device))
            state = model.decoder.start(encoded, self.beams)
            for position in range({"plain": self.early, "late": self.known, "anew": 0}[formulation]):
                _, state = model.decoder.step(known[:, :, position], state)

        def advance() -> None:
            with torch.inference_mode(), settings.autocast():
                if formulation == "anew":
                    for beam in range(self.beams):
                        model.decoder(known[:, beam], encoded)
                else:
                    model.decoder.step(known[:, :, -1], state)

        return Step(advance)


CASES = (
    TrainingCase("step-16", length=16),
    TrainingCase("step-32", length=32),
    TrainingCase("step-100", length=100),
    DecodingCase("greedy-lightconv", "plain"),
    DecodingCase("beam6-lightconv", "plain", sentences=16, beams=6),
    DecodingCase("greedy-transformer", "transformer"),
)
