"""Blocks of other papers that reweight feature maps, for the comparisons of Table 1.

They are plug-ins of ``ImageResNet`` and ``CIFARResNet``: ``SE`` and ``CBAM`` of each residual block, ``BAM`` of the stages. The table's GC
is MMCV's ``ContextBlock``. Each follows the equations of its paper, with biases, which the published parameter counts hold.
"""

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

__all__ = ["BAM", "CBAM", "SE"]


@MODELS.register_module()
class SE(nn.Module):
    """Squeeze and excitation: ``x * sigmoid(W2 relu(W1 mean(x)))``, one factor per channel.

    Source: Hu et al., CVPR 2018, arXiv:1709.01507, Eq. 2 to 4.

    Args:
        in_channels: ``C``.
        ratio: Channels per hidden unit.
    """

    def __init__(self, in_channels: int, ratio: int = 16) -> None:
        super().__init__()
        self.mlp = _channel_mlp(in_channels, ratio)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to the same shape."""
        return x * torch.sigmoid(self.mlp(x.mean((2, 3))))[:, :, None, None]


@MODELS.register_module()
class CBAM(nn.Module):
    """Channel attention, then spatial attention, each from an average and a maximum.

    Source: Woo et al., ECCV 2018, arXiv:1807.06521, Eq. 1 to 3. Their code also has a norm behind the convolution.

    Args:
        in_channels: ``C``.
        ratio: Channels per hidden unit of the channel attention.
        kernel_size: Of the spatial attention's convolution.
    """

    def __init__(self, in_channels: int, ratio: int = 16, kernel_size: int = 7) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size ({kernel_size}) of CBAM must be odd, so that the map keeps its size.")
        self.mlp = _channel_mlp(in_channels, ratio)
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to the same shape."""
        channels = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))          # (N, C)
        x = x * torch.sigmoid(channels)[:, :, None, None]
        maps = torch.stack([x.mean(1), x.amax(1)], dim=1)                       # (N, 2, H, W)
        return x * torch.sigmoid(self.conv(maps))


@MODELS.register_module()
class BAM(nn.Module):
    """Bottleneck attention: ``x + x * sigmoid(channel branch + spatial branch)``.

    Source: Park et al., BMVC 2018, arXiv:1807.06514, Eq. 1 to 4. The equations leave out the activations between the layers; they are
    ReLU here. The authors' code has norms between the layers instead of behind them, and multiplies the branches.

    Args:
        in_channels: ``C``.
        ratio: Channels per hidden unit, of both branches.
        dilation: Of the spatial branch's 3x3 convolutions.
    """

    def __init__(self, in_channels: int, ratio: int = 16, dilation: int = 4) -> None:
        super().__init__()
        hidden = _hidden_units(in_channels, ratio)
        self.channel = nn.Sequential(_channel_mlp(in_channels, ratio), nn.BatchNorm1d(in_channels))
        self.spatial = nn.Sequential(
            nn.Conv2d(in_channels, hidden, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding=dilation, dilation=dilation),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding=dilation, dilation=dilation),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, 1, 1),
            nn.BatchNorm2d(1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to the same shape."""
        channels = self.channel(x.mean((2, 3)))                                 # (N, C)
        return x + x * torch.sigmoid(channels[:, :, None, None] + self.spatial(x))


def _hidden_units(in_channels: int, ratio: int) -> int:
    if not 1 <= ratio <= in_channels:
        raise ValueError(f"ratio ({ratio}) must be from 1 to the number of channels ({in_channels}).")
    return in_channels // ratio


def _channel_mlp(in_channels: int, ratio: int) -> nn.Sequential:
    """Two linear layers over ``(N, C)`` with He initialisation."""
    hidden = _hidden_units(in_channels, ratio)
    mlp = nn.Sequential(nn.Linear(in_channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, in_channels))
    for layer in (mlp[0], mlp[2]):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    return mlp
