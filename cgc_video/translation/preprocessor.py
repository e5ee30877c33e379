"""Move a batch of sentences to the model's device."""

from typing import Any

from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

__all__ = ["TokenBatchPreprocessor"]


@MODELS.register_module()
class TokenBatchPreprocessor(BaseDataPreprocessor):
    """Moves the tensors of a batch. Data samples, which metrics read on the CPU, stay where they are.

    MMEngine's own copies every data sample field by field, 64 per batch: a tenth of a step of the small models.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        return {
            key: value.to(self.device, non_blocking=self._non_blocking) if isinstance(value, Tensor) else value
            for key, value in data.items()
        }
