"""An encoder with a tag for every token, for the task that shows what the gate can do."""

from typing import Any

import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor

from .blocks import linear
from .encoder import TranslationEncoder
from .parts import build_part
from .preprocessor import TokenBatchPreprocessor

__all__ = ["TaggingModel"]


@MODELS.register_module()
class TaggingModel(BaseModel):
    """Encoder and a linear layer.

    Args:
        encoder: Arguments of ``TranslationEncoder``.
        num_tags: How many tags there are.
        data_preprocessor, init_cfg: As MMEngine's; by default a ``TokenBatchPreprocessor``.

    Raises:
        UserError: If an argument of the encoder is unknown or missing.
    """

    def __init__(
        self,
        encoder: dict[str, Any],
        num_tags: int,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor or TokenBatchPreprocessor(), init_cfg)
        self.encoder = build_part(TranslationEncoder, "encoder", encoder)
        self.classify = linear(self.encoder.width, num_tags)

    def forward(
        self,
        source: Tensor,
        target: Tensor | None = None,
        data_samples: list[BaseDataElement] | None = None,
        mode: str = "tensor",
    ) -> Tensor | dict[str, Tensor] | list[BaseDataElement]:
        """Score, train or tag.

        Args:
            source: ``(B, S)``, padded on either side.
            target: ``(B, S)``, -100 where a token is not trained; read by ``loss``.
            data_samples: Filled by ``predict``; made where there are none.
            mode: ``"tensor"``, ``"loss"`` or ``"predict"``.

        Returns:
            ``tensor``: logits ``(B, S, tags)``. ``loss``: ``loss``. ``predict``: the samples with ``pred_tags``, one per token of the
            sentence, int64 on the CPU.
        """
        encoded = self.encoder(source)
        logits = self.classify(encoded.features)
        if mode == "tensor":
            return logits
        if mode == "loss":
            return {"loss": F.cross_entropy(logits.flatten(0, 1).float(), target.flatten(), ignore_index=-100)}
        if mode != "predict":
            raise ValueError(f"mode ({mode!r}) must be 'tensor', 'loss' or 'predict'.")
        samples = data_samples or [BaseDataElement() for _ in source]
        for sample, tags, valid in zip(samples, logits.argmax(2), encoded.valid, strict=True):
            sample.pred_tags = tags[valid].cpu()
        return samples
