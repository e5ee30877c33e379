"""The translation model on MMEngine's runner.

Source: Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 4.4 and Table 6.
"""

from typing import Any

from mmaction.registry import MODELS
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..errors import UserError
from .beam_search import BeamSearch, Hypothesis
from .decoder import TranslationDecoder
from .encoder import TranslationEncoder
from .losses import label_smoothed_loss
from .parts import build_part
from .preprocessor import TokenBatchPreprocessor

__all__ = ["TranslationModel"]


@MODELS.register_module()
class TranslationModel(BaseModel):
    """Encoder and decoder, the loss, and beam search.

    Args:
        encoder, decoder: Arguments of ``TranslationEncoder`` and ``TranslationDecoder``.
        label_smoothing: Share of the uniform distribution in the target.
        beam: Arguments of ``BeamSearch``.
        data_preprocessor, init_cfg: As MMEngine's; by default a ``TokenBatchPreprocessor``.

    Raises:
        UserError: If encoder and decoder differ in width, or an argument is unknown, missing or out of its range.
    """

    def __init__(
        self,
        encoder: dict[str, Any],
        decoder: dict[str, Any],
        label_smoothing: float = 0.1,
        beam: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor or TokenBatchPreprocessor(), init_cfg)
        self.encoder = build_part(TranslationEncoder, "encoder", encoder)
        self.decoder = build_part(TranslationDecoder, "decoder", decoder)
        if self.encoder.width != self.decoder.width:
            raise UserError(
                f"the encoder's width ({self.encoder.width}) and the decoder's ({self.decoder.width}) must be equal; "
                "change one."
            )
        if not 0 <= label_smoothing < 1:
            raise UserError(f"label_smoothing ({label_smoothing}) must be at least 0 and below 1; 0.1 is usual.")
        self.label_smoothing = label_smoothing
        self.search = build_part(BeamSearch, "beam", beam or {})

    def forward(
        self,
        source: Tensor,
        target_input: Tensor | None = None,
        target: Tensor | None = None,
        data_samples: list[BaseDataElement] | None = None,
        mode: str = "tensor",
    ) -> Tensor | dict[str, Tensor] | list[BaseDataElement]:
        """Score, train or translate.

        Args:
            source: ``(B, S)``, padded on either side, with ``</s>`` at the end of each sentence.
            target_input: ``(B, T)``, padded on the right: ``</s>``, then the translation; ``predict`` does not read it.
            target: ``(B, T)``, the translation, then ``</s>``; read by ``loss``.
            data_samples: Filled by ``predict``; made where there are none.
            mode: ``"tensor"``, ``"loss"`` or ``"predict"``.

        Returns:
            ``tensor``: logits ``(B, T, vocabulary)``. ``loss``: ``loss``, and for the log ``perplexity`` and ``tokens`` of the
            batch. ``predict``: the samples with ``pred_tokens`` (``(length,)`` int64 on the CPU, special tokens left out) and
            ``score``.
        """
        if mode == "predict":
            samples = data_samples or [BaseDataElement() for _ in source]
            for sample, translation in zip(samples, self.translate(source), strict=True):
                sample.pred_tokens, sample.score = translation.tokens.cpu(), translation.score
            return samples
        logits = self.decoder(target_input, self.encoder(source))
        if mode == "tensor":
            return logits
        if mode != "loss":
            raise ValueError(f"mode ({mode!r}) must be 'tensor', 'loss' or 'predict'.")
        loss, likelihood, tokens = label_smoothed_loss(logits, target, self.label_smoothing)
        return {"loss": loss, "perplexity": likelihood.exp(), "tokens": tokens.float()}

    def translate(self, source: Tensor) -> list[Hypothesis]:
        """The best translation that beam search finds for each sentence of ``(B, S)``."""
        encoded = self.encoder(source)
        limits = self.search.limits(encoded.valid.sum(1))
        return self.search(self.decoder, self.decoder.start(encoded, self.search.size), limits)
