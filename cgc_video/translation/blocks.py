"""What encoder and decoder layers share: initialised linears, the post-norm residual, the feed-forward block."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import UserError

__all__ = ["AddNorm", "FeedForward", "linear", "require_heads"]


def linear(in_features: int, out_features: int, bias: bool = True) -> nn.Linear:
    """A linear layer, Xavier-uniform with a zero bias."""
    layer = nn.Linear(in_features, out_features, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def require_heads(width: int, heads: int) -> None:
    """Raise a ``UserError`` unless the heads divide the width into equal blocks of channels."""
    if heads < 1 or width % heads:
        raise UserError(f"heads ({heads}) must divide the width ({width}) into equal blocks of channels; change one.")


class AddNorm(nn.LayerNorm):
    """The end of a block: ``LayerNorm(x + dropout(y))``."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        """Add the block's output ``y`` to its input ``x``, and normalise."""
        return super().forward(x + self.dropout(y))


class FeedForward(nn.Module):
    """Linear, ReLU, linear at each position."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = linear(width, hidden)
        self.contract = linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.contract(F.relu(self.expand(x)))
