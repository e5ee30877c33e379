"""TSN's backbone: a 2D ResNet over sampled frames, plain or context-gated.

Source: Wang et al., Temporal Segment Networks, ECCV 2016; Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 4.3 (CGC in its spatial
convolutions). The base class of the other video backbones; each overrides one factory method.
"""

from collections.abc import Sequence

from mmaction.registry import MODELS
from mmcv.cnn import ConvModule, NonLocal3d
from mmengine.model import BaseModule, kaiming_init
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from ..pretrained import load_pretrained
from .residual import BasicBlock, Bottleneck, FrameNonLocal

__all__ = ["TSNResNet"]


@MODELS.register_module()
class TSNResNet(BaseModule):
    """ResNet over frames that are folded into the batch.

    Args:
        depth: 18, 34, 50 or 101.
        num_segments: Frames of a clip, ``T``; they follow each other in the batch.
        conv_cfg: Layer for the spatial convolutions, ``dict(type="CGC3d")`` say; ``None`` for plain ones.
        gated_stages: Where ``conv_cfg`` applies: 0 is the stem, 1 to 4 the residual stages. Default: everywhere.
        non_local: Per stage, a flag per block: whether a non-local block follows it.
        non_local_cfg: Arguments of MMCV's ``NonLocal3d``.
        norm_cfg: Norm of every convolution.
        frozen_stages: Stages up to this one are not trained: 0 the stem, 1 to 4 the residual stages too; -1: none.
        norm_eval: Keep the running statistics of every norm fixed while training.
        with_cp: Activation checkpointing of the residual blocks: less memory, one more forward pass.
        pretrained: File or URL of a ResNet checkpoint (torchvision, MMAction2, TSM or ours); weights load only if it is given.
        if_unreachable: What to do where the URL in ``pretrained`` cannot be fetched: ``"error"``, or go on from ``"random"``
            weights with a warning.
        in_channels: Channels of a frame.

    Raises:
        ValueError: If an argument is out of its range, or (from ``forward``) ``num_segments`` does not divide the frames.
    """

    arch_settings = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
    }

    def __init__(
        self,
        depth: int,
        num_segments: int | None = 8,
        conv_cfg: dict | None = None,
        gated_stages: Sequence[int] = (0, 1, 2, 3, 4),
        non_local: Sequence[Sequence[int]] = ((), (), (), ()),
        non_local_cfg: dict | None = None,
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
        if depth not in self.arch_settings:
            raise ValueError(f"depth ({depth}) must be one of {tuple(self.arch_settings)}.")
        if num_segments is not None and num_segments < 1:
            raise ValueError(f"num_segments ({num_segments}) must be at least 1.")
        if not set(gated_stages) <= set(range(5)):
            raise ValueError(f"gated_stages ({gated_stages}) must be among 0 (the stem) and 1 to 4 (the residual stages).")
        if not -1 <= frozen_stages <= 4:
            raise ValueError(f"frozen_stages ({frozen_stages}) must be from -1 (none) to 4.")
        self.num_segments = num_segments
        self.conv_cfg, self.gated_stages = conv_cfg, tuple(gated_stages)
        self.norm_cfg = {"type": "BN"} if norm_cfg is None else norm_cfg
        self.non_local_cfg = {} if non_local_cfg is None else non_local_cfg
        self.frozen_stages, self.norm_eval, self.with_cp = frozen_stages, norm_eval, with_cp
        self.pretrained, self.if_unreachable = pretrained, if_unreachable
        self.pretrained_missed = False  # named, unreachable, and replaced by random weights

        self.block, self.stage_blocks = self.arch_settings[depth]
        self.non_local = self._check_non_local(non_local)
        self._build_stem(in_channels)
        channels = 64
        for stage, num_blocks in enumerate(self.stage_blocks, start=1):
            setattr(self, f"layer{stage}", self._build_stage(stage, channels, num_blocks))
            channels = self.block.expansion * 64 * 2 ** (stage - 1)
        self.out_channels = channels
        self._freeze()

    def _check_non_local(self, non_local: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
        flags = tuple(tuple(stage) if stage else (0,) * n for stage, n in zip(non_local, self.stage_blocks, strict=False))
        if tuple(map(len, flags)) != self.stage_blocks:
            raise ValueError(
                f"non_local ({non_local}) must hold four sequences, each empty or with a flag per block {self.stage_blocks}."
            )
        return flags

    def _build_stem(self, in_channels: int) -> None:
        self.conv1 = self.make_conv(0, in_channels, 64, 7, 2)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    def _build_stage(self, stage: int, in_channels: int, num_blocks: int) -> nn.Sequential:
        channels = 64 * 2 ** (stage - 1)
        out_channels = self.block.expansion * channels
        blocks = []
        for index in range(num_blocks):
            stride = 2 if stage > 1 and index == 0 else 1
            downsample = None
            if stride != 1 or in_channels != out_channels:
                downsample = self.make_conv(stage, in_channels, out_channels, 1, stride, act=False)
            non_local = self.make_non_local(out_channels) if self.non_local[stage - 1][index] else None
            blocks.append(self.make_block(stage, index, in_channels, channels, stride, downsample, non_local))
            in_channels = out_channels
        return nn.Sequential(*blocks)

    def make_block(self, stage, index, in_channels, channels, stride, downsample, non_local) -> nn.Module:
        """Build block ``index`` (from 0) of a stage; a variant of the network overrides this."""

        def make_conv(*args, **kwargs) -> ConvModule:
            return self.make_conv(stage, *args, **kwargs)

        return self.block(in_channels, channels, stride, make_conv, downsample, non_local, self.with_cp)

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
        """The layer of a stage's spatial convolutions. Frames share a batch axis here, so a 3D context needs their number."""
        if self.conv_cfg is None or stage not in self.gated_stages:
            return None
        segments = {"num_segments": self.num_segments} if self.conv_cfg["type"] == "CGC3d" else {}
        return {**segments, **self.conv_cfg}

    def make_non_local(self, channels: int) -> nn.Module:
        return FrameNonLocal(channels, num_segments=self.num_segments, **self.non_local_cfg)

    def init_weights(self) -> None:
        """Initialise as He et al. (Sec. 4.1 of the paper), then load ``pretrained`` if it is given."""
        super().init_weights()
        # non-local blocks keep the initialisation they were built with: an identity
        kept = {part for module in self.modules() if isinstance(module, NonLocal3d) for part in module.modules()}
        for module in self.modules():
            if isinstance(module, _ConvNd) and module not in kept:
                kaiming_init(module)
        self.init_variant_weights()
        if self.pretrained is not None:
            self.pretrained_missed = load_pretrained(self, self.pretrained, self.if_unreachable) is None

    def init_variant_weights(self) -> None:
        """Initialise what a variant of the network adds, after the rest and before a checkpoint."""

    def forward(self, x: Tensor) -> Tensor:
        """Map frames ``(N * T, C, H, W)`` to features ``(N * T, out_channels, H / 32, W / 32)``."""
        if self.num_segments and len(x) % self.num_segments:
            raise ValueError(
                f"num_segments ({self.num_segments}) must divide the frame count ({len(x)}); set it in the config."
            )
        x = self.maxpool(self.conv1(x))
        for stage in range(1, 5):
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

    def train(self, mode: bool = True) -> "TSNResNet":
        """Switch the mode, but leave frozen stages in evaluation mode, and every norm too under ``norm_eval``."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self
