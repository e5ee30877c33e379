"""Residual blocks of the backbones, and the pieces that their variants share.

Source: He et al., CVPR 2016 (blocks; the stride sits in the 3x3 convolution, as in torchvision); Wang et al., CVPR 2018 (non-local).
"""

from collections.abc import Callable
from contextlib import contextmanager, nullcontext

import torch.nn.functional as F
from mmcv.cnn import ConvModule, NonLocal3d
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

__all__ = ["BasicBlock", "Bottleneck", "FrameNonLocal"]

# Builds the convolution, norm and activation of one layer: (in_channels, out_channels, kernel, stride, act) -> module
MakeConv = Callable[..., ConvModule]


class _ResidualBlock(nn.Module):
    """Residual path (subclasses), an optional plug-in on it, shortcut, ReLU, and an optional non-local block behind them.

    ``shift``, if a variant sets it, is applied to the input of the residual path alone.

    Args:
        downsample: The shortcut's projection, ``None`` for an identity.
        with_cp: Keep only the block's input for backward, and run its forward pass again there.
        non_local: Maps the block's output to a tensor of the same shape.
        plugin: Maps the residual path's output to a tensor of the same shape, before the shortcut is added.
    """

    expansion: int

    def __init__(
        self,
        downsample: nn.Module | None,
        with_cp: bool,
        non_local: nn.Module | None = None,
        plugin: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.downsample, self.non_local, self.plugin, self.with_cp = downsample, non_local, plugin, with_cp
        self.shift: nn.Module | None = None

    def residual(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.residual(x if self.shift is None else self.shift(x))
        if self.plugin is not None:
            y = self.plugin(y)
        y = F.relu(y + shortcut, inplace=True)
        return y if self.non_local is None else self.non_local(y)

    def forward(self, x: Tensor) -> Tensor:
        if not (self.with_cp and self.training and x.requires_grad):
            return self._forward(x)
        contexts = (nullcontext(), _running_statistics_kept(self))
        return checkpoint(self._forward, x, use_reentrant=False, context_fn=lambda: contexts)


class BasicBlock(_ResidualBlock):
    """Two 3x3 convolutions (ResNet-18, 34, and those of CIFAR)."""

    expansion = 1

    def __init__(self, in_channels, channels, stride, make_conv: MakeConv, downsample, with_cp=False, **parts) -> None:
        super().__init__(downsample, with_cp, **parts)
        self.conv1 = make_conv(in_channels, channels, 3, stride)
        self.conv2 = make_conv(channels, channels, 3, act=False)

    def residual(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x))


class Bottleneck(_ResidualBlock):
    """1x1, 3x3 and 1x1 convolutions (ResNet-50, 101, 152)."""

    expansion = 4

    def __init__(self, in_channels, channels, stride, make_conv: MakeConv, downsample, with_cp=False, **parts) -> None:
        super().__init__(downsample, with_cp, **parts)
        self.conv1 = make_conv(in_channels, channels, 1)
        self.conv2 = make_conv(channels, channels, 3, stride)
        self.conv3 = make_conv(channels, self.expansion * channels, 1, act=False)

    def residual(self, x: Tensor) -> Tensor:
        return self.conv3(self.conv2(self.conv1(x)))


class FrameNonLocal(NonLocal3d):
    """MMCV's non-local block over space and time, for frames folded into the batch ``(N * T, C, H, W)``."""

    def __init__(self, *args, num_segments: int, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.num_segments = num_segments

    def forward(self, x: Tensor) -> Tensor:
        clips = x.unflatten(0, (-1, self.num_segments)).transpose(1, 2).contiguous()  # (N, C, T, H, W)
        return super().forward(clips).transpose(1, 2).flatten(0, 1)


@contextmanager
def _running_statistics_kept(module: nn.Module):
    """Keep batch statistics from entering the running ones a second time when a checkpointed block runs again."""
    norms = [(m, m.momentum) for m in module.modules() if isinstance(m, _BatchNorm) and m.momentum is not None]
    for norm, _ in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in norms:
            norm.momentum = momentum
