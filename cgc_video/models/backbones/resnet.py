"""The residual network behind every backbone, and the one for images.

Source: He et al., CVPR 2016, Table 1 (the stride of a bottleneck sits in its 3x3 convolution, as in torchvision); Lin et al., ECCV 2020,
arXiv:1910.05577v4, Sec. 4.2 (CGC in every convolution that is not 1x1).
"""

from collections.abc import Sequence
from functools import partial

from mmaction.registry import MODELS
from mmcv.cnn import ContextBlock, ConvModule, NonLocal3d
from mmengine.model import BaseModule, kaiming_init
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from ..pretrained import load_pretrained
from .residual import BasicBlock, Bottleneck

__all__ = ["BaseResNet", "ImageResNet"]


class BaseResNet(BaseModule):
    """Stem and residual stages, plain or gated. A variant overrides the factory methods, or the sizes below.

    Args:
        depth: A key of ``arch_settings``.
        conv_cfg: Layer for the spatial convolutions, ``dict(type="CGC2d")`` say; ``None`` for plain ones.
        gated_stages: Where ``conv_cfg`` applies: 0 is the stem, 1 and up the residual stages. Default: everywhere.
        norm_cfg: Norm of every convolution.
        frozen_stages: Stages up to this one are not trained: 0 the stem, 1 and up the residual stages too; -1: none.
        norm_eval: Keep the running statistics of every norm fixed while training.
        with_cp: Activation checkpointing of the residual blocks: less memory, one more forward pass.
        pretrained: File or URL of a ResNet checkpoint (torchvision, MMAction2, TSM or ours); weights load only if it is given.
        if_unreachable: What to do where the URL in ``pretrained`` cannot be fetched: ``"error"``, or go on from ``"random"``
            weights with a warning.
        in_channels: Channels of an image.

    Raises:
        ValueError: If an argument is out of its range.
    """

    arch_settings = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
    }
    stem_channels = 64
    stage_channels: tuple[int, ...] = (64, 128, 256, 512)  # of the 3x3 convolutions

    # these keep the initialisation that they are built with: both start as an identity
    self_initialised = (NonLocal3d, ContextBlock)

    def __init__(
        self,
        depth: int,
        conv_cfg: dict | None = None,
        gated_stages: Sequence[int] | None = None,
        norm_cfg: dict | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        with_cp: bool = False,
        pretrained: str | None = None,
        if_unreachable: str = "error",
        in_channels: int = 3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.block, self.stage_blocks = self.architecture(depth)
        last = len(self.stage_channels)
        gated_stages = range(last + 1) if gated_stages is None else gated_stages
        if not set(gated_stages) <= set(range(last + 1)):
            raise ValueError(f"gated_stages ({gated_stages}) must be among 0 (the stem) and 1 to {last} (the residual stages).")
        if not -1 <= frozen_stages <= last:
            raise ValueError(f"frozen_stages ({frozen_stages}) must be from -1 (none) to {last}.")
        self.conv_cfg, self.gated_stages = conv_cfg, tuple(gated_stages)
        self.norm_cfg = {"type": "BN"} if norm_cfg is None else norm_cfg
        self.frozen_stages, self.norm_eval, self.with_cp = frozen_stages, norm_eval, with_cp
        self.pretrained, self.if_unreachable = pretrained, if_unreachable
        self.pretrained_missed = False  # named, unreachable, and replaced by random weights

        self._build_stem(in_channels)
        channels = self.stem_channels
        for stage, (width, num_blocks) in enumerate(zip(self.stage_channels, self.stage_blocks, strict=True), start=1):
            setattr(self, f"layer{stage}", self._build_stage(stage, channels, width, num_blocks))
            channels = self.block.expansion * width
        self.out_channels = channels
        self._freeze()

    @classmethod
    def architecture(cls, depth: int) -> tuple[type[nn.Module], tuple[int, ...]]:
        """The residual block of a network of this depth, and how many of them each stage has."""
        if depth not in cls.arch_settings:
            raise ValueError(f"depth ({depth}) must be one of {tuple(cls.arch_settings)}.")
        return cls.arch_settings[depth]

    def _build_stem(self, in_channels: int) -> None:
        self.conv1 = self.make_conv(0, in_channels, self.stem_channels, 7, 2)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    def _build_stage(self, stage: int, in_channels: int, channels: int, num_blocks: int) -> nn.Sequential:
        out_channels = self.block.expansion * channels
        blocks = []
        for index in range(num_blocks):
            stride = 2 if stage > 1 and index == 0 else 1
            downsample = None
            if stride != 1 or in_channels != out_channels:
                downsample = self.make_conv(stage, in_channels, out_channels, 1, stride, act=False)
            blocks.append(self.make_block(stage, index, in_channels, channels, stride, downsample))
            in_channels = out_channels
        return nn.Sequential(*blocks)

    def make_block(self, stage, index, in_channels, channels, stride, downsample, **parts) -> nn.Module:
        """Build block ``index`` (from 0) of a stage; a variant of the network overrides this, or adds ``parts`` to the block."""
        make_conv = partial(self.make_conv, stage)
        return self.block(in_channels, channels, stride, make_conv, downsample, with_cp=self.with_cp, **parts)

    def make_conv(self, stage: int, in_channels, out_channels, kernel_size, stride=1, act=True) -> ConvModule:
        """Build a convolution with norm, and ReLU where ``act``."""
        return ConvModule(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            bias=False,
            conv_cfg=self.spatial_conv_cfg(stage),
            norm_cfg=self.norm_cfg,
            act_cfg={"type": "ReLU", "inplace": True} if act else None,
        )

    def spatial_conv_cfg(self, stage: int) -> dict | None:
        """The layer of a stage's spatial convolutions."""
        return self.conv_cfg if stage in self.gated_stages else None

    def init_weights(self) -> None:
        """Initialise as He et al. (Sec. 4.1 of the paper), then load ``pretrained`` if it is given."""
        super().init_weights()
        kept = {part for module in self.modules() if isinstance(module, self.self_initialised) for part in module.modules()}
        for module in self.modules():
            if isinstance(module, _ConvNd) and module not in kept:
                kaiming_init(module)
        self.init_variant_weights()
        if self.pretrained is not None:
            self.pretrained_missed = load_pretrained(self, self.pretrained, self.if_unreachable) is None

    def init_variant_weights(self) -> None:
        """Initialise what a variant of the network adds, after the rest and before a checkpoint."""

    def stem(self, x: Tensor) -> Tensor:
        """What comes before the stages."""
        return self.maxpool(self.conv1(x))

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` to the features ``(N, out_channels, H / 32, W / 32)`` of the last stage."""
        x = self.stem(x)
        for stage in range(1, len(self.stage_channels) + 1):
            x = getattr(self, f"layer{stage}")(x)
        return x

    def frozen_modules(self) -> list[nn.Module]:
        """What ``frozen_stages`` covers."""
        if self.frozen_stages < 0:
            return []
        return [self.conv1, *(getattr(self, f"layer{stage}") for stage in range(1, self.frozen_stages + 1))]

    def _freeze(self) -> None:
        for module in self.frozen_modules():
            module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "BaseResNet":
        """Switch the mode, but leave frozen stages in evaluation mode, and every norm too under ``norm_eval``."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self


@MODELS.register_module()
class ImageResNet(BaseResNet):
    """ResNet for images, with the blocks of other papers as plug-ins.

    Args:
        depth: 18, 34, 50, 101 or 152.
        block_plugin: Module on the residual path of each block, before the shortcut is added, by type: ``"SE"``, ``"CBAM"``, MMCV's
            ``"ContextBlock"`` (GC) or any other that takes ``in_channels`` and keeps the shape. ``conv_cfg`` does not reach into it.
        stage_plugin: The same behind each stage but the last: ``"BAM"``.
        conv_cfg, gated_stages, others: As in :class:`BaseResNet`.
    """

    arch_settings = {**BaseResNet.arch_settings, 152: (Bottleneck, (3, 8, 36, 3))}

    def __init__(self, depth: int, block_plugin: dict | None = None, stage_plugin: dict | None = None, **kwargs) -> None:
        self.block_plugin, self.stage_plugin = block_plugin, stage_plugin
        super().__init__(depth, **kwargs)

    def _build_stage(self, stage: int, in_channels: int, channels: int, num_blocks: int) -> nn.Sequential:
        layers = super()._build_stage(stage, in_channels, channels, num_blocks)
        if self.stage_plugin is not None and stage < len(self.stage_channels):
            layers.add_module("plugin", MODELS.build({"in_channels": self.block.expansion * channels, **self.stage_plugin}))
        return layers

    def make_block(self, stage, index, in_channels, channels, *args, **parts) -> nn.Module:
        if self.block_plugin is not None:
            parts["plugin"] = MODELS.build({"in_channels": self.block.expansion * channels, **self.block_plugin})
        return super().make_block(stage, index, in_channels, channels, *args, **parts)
