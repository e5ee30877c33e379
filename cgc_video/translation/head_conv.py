"""Depthwise convolution over time with one kernel per head, the same for every channel of the head.

Source: Wu et al., Pay Less Attention with Lightweight and Dynamic Convolutions, ICLR 2019, Sec. 3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import UserError
from .blocks import require_heads

__all__ = ["HeadConv", "convolve_heads"]


class HeadConv(nn.Module):
    """Base of the lightweight and the dynamic convolution, which differ in where the kernels come from: :meth:`kernels`.

    Args:
        width: ``C``. Head ``h`` has the channels from ``h * C/H`` up to ``(h + 1) * C/H``.
        heads: ``H``.
        kernel_size: ``k``.
        causal: A position sees itself and the ``k - 1`` before it, as a decoder must; else the window is centred.
        weight_dropout: Probability that training drops a weight of a kernel.

    Raises:
        UserError: If a value is out of its range, or the window cannot be centred.
    """

    def __init__(
        self, width: int, heads: int, kernel_size: int, causal: bool = False, weight_dropout: float = 0.0
    ) -> None:
        super().__init__()
        require_heads(width, heads)
        if kernel_size is None or kernel_size < 1:
            raise UserError(f"kernel size ({kernel_size}) must be at least 1; set it in kernel_sizes.")
        if not causal and kernel_size % 2 == 0:
            raise UserError(f"kernel size ({kernel_size}) must be odd in an encoder, whose window is centred.")
        self.width, self.heads, self.kernel_size, self.causal = width, heads, kernel_size, causal
        self.weight_dropout = nn.Dropout(weight_dropout)

    def kernels(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """The kernels ``(B or 1, T or 1, H, k)`` of the input ``(B, T, C)``, with size 1 where they are all the same."""
        raise NotImplementedError

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """Convolve.

        Args:
            x: ``(B, T, C)``, zeros at the padding.
            valid: ``(B, T)`` bool, false at the padding; ``None`` where there is none.

        Returns:
            ``(B, T, C)``.
        """
        kernels = self.weight_dropout(self.kernels(x, valid)).to(x.dtype)
        return convolve_heads(x, kernels, self.kernel_size - 1 if self.causal else self.kernel_size // 2)

    def start(self, sentences: int, beams: int, like: Tensor) -> Tensor:
        """The state before the first token: the ``k - 1`` inputs before it ``(B, K, k - 1, C)``, all zero."""
        return like.new_zeros(sentences, beams, self.kernel_size - 1, self.width)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One token of each of ``K`` hypotheses per sentence: ``(B, K, C)`` and the next state."""
        window = torch.cat([state, x.unsqueeze(2)], dim=2)  # (B, K, k, C)
        kernels = self.kernels(x, None).to(x.dtype).transpose(2, 3).unsqueeze(4)  # (B or 1, K or 1, k, H, 1)
        y = (window.unflatten(3, (self.heads, -1)) * kernels).sum(2)
        return y.flatten(2), window[:, :, 1:]

    def extra_repr(self) -> str:
        return f"{self.width}, heads={self.heads}, kernel_size={self.kernel_size}, causal={self.causal}"


def convolve_heads(x: Tensor, kernels: Tensor, left: int) -> Tensor:
    """Convolve every head of every sentence, at every position, with its kernel: ``y[t] = sum_j w[j] x[t - left + j]``.

    The kernels become banded matrices ``(T, T)``, one per head and sentence, and the sum a batched matrix product. That is
    a grouped convolution of ``B * H`` groups, many times faster than PyTorch's on sentences of 20 to 200 tokens.

    Args:
        x: ``(B, T, C)``; outside of it are zeros.
        kernels: ``(B or 1, T or 1, H, k)``, in the dtype of ``x``.
        left: Positions that the window reaches to the left.

    Returns:
        ``(B, T, C)``.
    """
    batch, length, _ = x.shape
    bands = _banded(kernels.transpose(1, 2), length, left).expand(batch, -1, -1, -1)  # (B, H, T, T)
    per_head = x.unflatten(2, (kernels.shape[2], -1)).transpose(1, 2)  # (B, H, T, C/H)
    return torch.matmul(bands, per_head).transpose(1, 2).flatten(2)


def _banded(kernels: Tensor, length: int, left: int) -> Tensor:
    """Matrices with ``m[t, t - left + j] = kernels[t, j]``.

    Rows of length ``T + k`` that end in zeros, read as rows of ``T + k - 1``, move to the right by one from row to row.
    """
    size = kernels.shape[-1]
    rows = F.pad(kernels, (0, length)).expand(-1, -1, length, -1).flatten(2)  # (B, H, T * (T + k))
    skewed = rows[..., : length * (length + size - 1)].unflatten(2, (length, length + size - 1))
    return skewed[..., left : left + length]
