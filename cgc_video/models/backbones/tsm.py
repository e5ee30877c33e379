"""TSM's backbone: TSN's, with a temporal shift in front of each block's first convolution.

Source: Lin et al., TSM, ICCV 2019, arXiv:1811.08383, Sec. 3 (residual shift, one eighth of the channels each way).
"""

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from .tsn import TSNResNet

__all__ = ["TSMResNet", "TemporalShift", "temporal_shift"]


def temporal_shift(x: Tensor, num_segments: int, shift_div: int) -> Tensor:
    """Shift a part of the channels by one frame, zeros moving in at the ends.

    Args:
        x: Frames ``(N * T, C, H, W)``, ``T = num_segments``.
        shift_div: ``C // shift_div`` channels take the next frame's features, as many the previous frame's.
    """
    clips = x.unflatten(0, (-1, num_segments))                                  # (N, T, C, H, W)
    fold = x.shape[1] // shift_div
    out = torch.zeros_like(clips)
    out[:, :-1, :fold] = clips[:, 1:, :fold]
    out[:, 1:, fold : 2 * fold] = clips[:, :-1, fold : 2 * fold]
    out[:, :, 2 * fold :] = clips[:, :, 2 * fold :]
    return out.flatten(0, 1)


@MODELS.register_module()
class TSMResNet(TSNResNet):
    """ResNet with residual temporal shifts.

    Args:
        depth, num_segments, others: As in :class:`TSNResNet`.
        shift_div: Share of the channels shifted each way is ``1 / shift_div``.
    """

    def __init__(self, depth: int, num_segments: int = 8, shift_div: int = 8, **kwargs) -> None:
        if shift_div < 2:
            raise ValueError(f"shift_div ({shift_div}) must be at least 2.")
        self.shift_div = shift_div
        super().__init__(depth, num_segments, **kwargs)

    def make_block(self, stage, index, *args) -> nn.Module:
        block = super().make_block(stage, index, *args)
        # networks with 23 blocks in res4 shift in every other block (as the authors' code does)
        if index % (2 if self.stage_blocks[2] >= 23 else 1) == 0:
            block.shift = TemporalShift(self.num_segments, self.shift_div)
        return block


class TemporalShift(nn.Module):
    """:func:`temporal_shift` as a module."""

    def __init__(self, num_segments: int, shift_div: int) -> None:
        super().__init__()
        self.num_segments, self.shift_div = num_segments, shift_div

    def forward(self, x: Tensor) -> Tensor:
        return temporal_shift(x, self.num_segments, self.shift_div)

    def extra_repr(self) -> str:
        return f"num_segments={self.num_segments}, shift_div={self.shift_div}"
