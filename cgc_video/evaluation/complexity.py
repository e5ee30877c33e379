"""Parameters of a model."""

from torch import nn

__all__ = ["count_parameters"]


def count_parameters(model: nn.Module, trainable_only: bool = False) -> int:
    """Number of parameters, each counted once even where modules share it; buffers do not count."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable_only)
