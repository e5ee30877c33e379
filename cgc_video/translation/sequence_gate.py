"""The gate of a lightweight convolution: the context of a whole sentence in, a gate per head and tap out.

Source: Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 4.4; there is no channel interaction, as heads share their kernels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import UserError

__all__ = ["SequenceGate", "pool_sentences"]

CONTEXT_PER_TAP = 3  # the context has 3k bins, Sec. 4.4


class SequenceGate(nn.Module):
    """Context encoding and gate decoding, shared by the heads.

    The decoder starts at zero, so that gates start as the constant 0.5. Zeroing the norm in front of the ReLU instead (A.2 of
    the paper) would leave every gradient of the gate at exactly zero, for ever.

    Args:
        heads: ``H``.
        kernel_size: ``k``; the context has ``n = 3k`` bins.
        latent_dim: ``D``: a number, or ``"k//2 + 1"`` or ``"k//2"`` for one that follows the kernel size.
        norm_heads: LayerNorm over ``(H, D)``. Over ``D`` alone, a latent dim of 1 gives a constant, one of 2 hardly more than
            a sign.

    Raises:
        UserError: If the latent size is none of these, or below 1.
    """

    def __init__(
        self, heads: int, kernel_size: int, latent_dim: int | str = "k//2 + 1", norm_heads: bool = True
    ) -> None:
        super().__init__()
        sizes = {"k//2 + 1": kernel_size // 2 + 1, "k//2": kernel_size // 2}
        size = sizes.get(latent_dim) if isinstance(latent_dim, str) else latent_dim
        if size is None or size < 1:
            raise UserError(
                f"latent_dim ({latent_dim}) must be at least 1 at kernel size {kernel_size}; "
                "give a number, 'k//2 + 1' or 'k//2'."
            )
        self.heads, self.bins = heads, CONTEXT_PER_TAP * kernel_size
        self.encode = nn.Linear(self.bins, size, bias=False)
        self.norm = nn.LayerNorm((heads, size) if norm_heads else size)
        self.decode = nn.Linear(size, kernel_size, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """He initialisation (Sec. 4.1) of the encoder, zeros for the decoder (the departure from A.2 stated above)."""
        nn.init.kaiming_normal_(self.encode.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.decode.weight)

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """Map a batch of sentences ``(B, T, C)`` to gates ``(B, H, k)``, in the dtype of the parameters under autocast too.

        Args:
            valid: ``(B, T)`` bool, false at the padding, which does not count; ``None`` where there is none.
        """
        with torch.autocast(x.device.type, enabled=False):
            heads = x.unflatten(2, (self.heads, -1)).mean(3, dtype=self.encode.weight.dtype)  # (B, T, H)
            context = pool_sentences(heads, valid, self.bins).transpose(1, 2)  # (B, H, n)
            latent = F.relu(self.norm(self.encode(context)))  # (B, H, D)
            return self.decode(latent).sigmoid()


def pool_sentences(x: Tensor, valid: Tensor | None, bins: int) -> Tensor:
    """Average-pool each sentence adaptively to ``bins``; one that is shorter is padded with zeros to that length first.

    Where ``p`` counts a sentence's valid positions and ``M = max(length, bins)``, bin ``i`` averages the positions
    ``floor(i M / bins) <= p < ceil((i + 1) M / bins)``. What the batch pads a sentence with, and on which side, has no part.

    Args:
        x: ``(B, T, H)``, finite at the padding too.
        valid: ``(B, T)`` bool, or ``None`` where all is valid.

    Returns:
        ``(B, bins, H)``.
    """
    if valid is None:
        valid = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
    position = (valid.cumsum(1) - 1).unsqueeze(1)  # (B, 1, T)
    size = valid.sum(1, keepdim=True).clamp(min=bins)  # (B, 1), M
    index = torch.arange(bins, device=x.device)
    start = (index * size).div(bins, rounding_mode="floor").unsqueeze(2)  # (B, bins, 1)
    stop = ((index + 1) * size + bins - 1).div(bins, rounding_mode="floor").unsqueeze(2)
    inside = (position >= start) & (position < stop) & valid.unsqueeze(1)  # (B, bins, T)
    return torch.matmul(inside.to(x.dtype) / (stop - start), x)
