"""P3D-A's backbone: a ResNet whose blocks hold spatial and temporal convolutions.

Source: Qiu et al., P3D, ICCV 2017; the variant of Lin et al., ECCV 2020, arXiv:1910.05577v4, A.3.
"""

import torch
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule, NonLocal3d
from torch import Tensor, nn

from cgc_video.layers import CGC1d

from .residual import BasicBlock, Bottleneck
from .tsn import TSNResNet

__all__ = ["P3DResNet"]


class P3DBasicBlock(BasicBlock):
    """Two 1x3x3 convolutions and a temporal one; the last ReLU follows the addition."""

    def __init__(self, in_channels, channels, stride, make_conv, downsample, conv_t=None, **parts) -> None:
        super().__init__(in_channels, channels, stride, make_conv, downsample, **parts)
        self.conv2 = make_conv(channels, channels, 3)
        self.conv2_t = conv_t

    def residual(self, x: Tensor) -> Tensor:
        return self.conv2_t(super().residual(x))


class P3DBottleneck(Bottleneck):
    """1x1x1, 1x3x3, a temporal convolution where the block has one, and 1x1x1."""

    def __init__(self, *args, conv_t: nn.Module | None = None, **parts) -> None:
        super().__init__(*args, **parts)
        self.conv2_t = conv_t

    def residual(self, x: Tensor) -> Tensor:
        x = self.conv2(self.conv1(x))
        return self.conv3(x if self.conv2_t is None else self.conv2_t(x))


@MODELS.register_module()
class P3DResNet(TSNResNet):
    """ResNet over clips, with a temporal convolution after every second 1x3x3 convolution of a stage.

    The stem is followed by a 5x1x1 convolution of stride 2 and a max pooling of temporal kernel 3, stride 2; nothing else
    reduces time. Temporal convolutions start as a temporal shift: 1/8 of the channels look one frame back, 1/8 one frame ahead.

    Args:
        depth, conv_cfg, gated_stages, non_local, others: As in :class:`TSNResNet`.
        temporal_conv_cfg: Layer for the temporal convolutions of the blocks, ``dict(type="CGC1d")`` say; ``None`` for plain ones.
    """

    arch_settings = {
        depth: ({BasicBlock: P3DBasicBlock, Bottleneck: P3DBottleneck}[block], blocks)
        for depth, (block, blocks) in TSNResNet.arch_settings.items()
    }

    def __init__(
        self, depth: int, temporal_conv_cfg: dict | None = None, norm_cfg: dict | None = None, **kwargs
    ) -> None:
        self.temporal_conv_cfg = temporal_conv_cfg
        norm_cfg = {"type": "BN3d"} if norm_cfg is None else norm_cfg
        super().__init__(depth, num_segments=None, norm_cfg=norm_cfg, **kwargs)

    def _build_stem(self, in_channels: int) -> None:
        self.conv1 = self.make_conv(0, in_channels, self.stem_channels, 7, 2)
        self.conv1_t = self.make_temporal_conv(None, self.stem_channels, kernel_size=5, stride=2)
        self.maxpool = nn.MaxPool3d(kernel_size=3, stride=2, padding=1)

    def make_block(self, stage, index, in_channels, channels, *args, **parts) -> nn.Module:
        # every second 3x3 convolution of the stage; a basic block holds two of them, a bottleneck one
        basic = self.block is P3DBasicBlock
        conv_t = self.make_temporal_conv(stage, channels, 3, act=not basic) if basic or index % 2 == 1 else None
        return super().make_block(stage, index, in_channels, channels, *args, conv_t=conv_t, **parts)

    def make_conv(self, stage: int, in_channels, out_channels, kernel_size, stride=1, act=True) -> ConvModule:
        """Build a spatial convolution ``(1, k, k)``."""
        padding = kernel_size // 2
        return ConvModule(
            in_channels,
            out_channels,
            (1, kernel_size, kernel_size),
            stride=(1, stride, stride),
            padding=(0, padding, padding),
            bias=False,
            conv_cfg=self.spatial_conv_cfg(stage) or {"type": "Conv3d"},
            norm_cfg=self.norm_cfg,
            act_cfg={"type": "ReLU", "inplace": True} if act else None,
        )

    def make_temporal_conv(self, stage: int | None, channels: int, kernel_size: int, stride=1, act=True) -> ConvModule:
        """Build a temporal convolution ``(k, 1, 1)``; the stem's (``stage`` ``None``) is never gated (A.3, Sec. 4.3)."""
        gated = self.temporal_conv_cfg is not None and stage in self.gated_stages
        return ConvModule(
            channels,
            channels,
            (kernel_size, 1, 1),
            stride=(stride, 1, 1),
            padding=(kernel_size // 2, 0, 0),
            bias=False,
            conv_cfg=self.temporal_conv_cfg if gated else {"type": "Conv3d"},
            norm_cfg=self.norm_cfg,
            act_cfg={"type": "ReLU", "inplace": True} if act else None,
        )

    def make_non_local(self, channels: int) -> nn.Module:
        return NonLocal3d(channels, **self.non_local_cfg)

    def init_variant_weights(self) -> None:
        for name, module in self.named_modules():
            if name.endswith(("conv1_t.conv", "conv2_t.conv")):
                init_as_temporal_shift(module)

    def stem(self, x: Tensor) -> Tensor:
        return self.maxpool(self.conv1_t(self.conv1(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Map clips ``(N, C, T, H, W)`` to features ``(N, out_channels, T / 4, H / 32, W / 32)``."""
        return super().forward(x)

    def frozen_modules(self) -> list[nn.Module]:
        modules = super().frozen_modules()
        return [self.conv1_t, *modules] if modules else []


@torch.no_grad()
def init_as_temporal_shift(conv: nn.Module, shift_div: int = 8) -> None:
    """Let a temporal convolution ``(C, C, k, 1, 1)`` imitate TSM's shift (A.3). A gate halves the kernel at the start, so a
    gated one gets twice the values.
    """
    channels, _, kernel_size = conv.weight.shape[:3]
    center, fold = kernel_size // 2, channels // shift_div
    offset = torch.zeros(channels, dtype=torch.long)
    offset[:fold], offset[fold : 2 * fold] = 1, -1                              # the next frame, the previous frame
    conv.weight.zero_()
    index = torch.arange(channels)
    conv.weight[index, index, center + offset] = 2.0 if isinstance(conv, CGC1d) and conv.gate is not None else 1.0
