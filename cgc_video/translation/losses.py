"""The loss of translation.

Source: Szegedy et al., Rethinking the Inception Architecture, 2016, Sec. 7; Lin et al., ECCV 2020, Sec. 4.4 (protocol of [37]).
"""

import torch.nn.functional as F
from torch import Tensor

from .special_tokens import PAD

__all__ = ["label_smoothed_loss"]


def label_smoothed_loss(logits: Tensor, target: Tensor, smoothing: float) -> tuple[Tensor, Tensor, Tensor]:
    """Cross-entropy per token against the target mixed with a uniform distribution.

    Args:
        logits: ``(B, T, V)``.
        target: ``(B, T)``; padding does not count.
        smoothing: Share of the uniform distribution, in 0..1.

    Returns:
        The loss, the cross-entropy against the target alone (natural logarithm, without gradient), and the number of tokens.
    """
    counted = target.ne(PAD)
    log_probs = F.log_softmax(logits[counted].float(), dim=-1)  # (tokens, V)
    likelihood = -log_probs.gather(1, target[counted].unsqueeze(1)).mean()
    loss = (1 - smoothing) * likelihood - smoothing * log_probs.mean()
    return loss, likelihood.detach(), counted.sum()
