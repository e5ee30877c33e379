"""TSN's backbone: a 2D ResNet over sampled frames, plain or context-gated.

Source: Wang et al., Temporal Segment Networks, ECCV 2016; Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 4.3 (CGC in its spatial
convolutions). The base class of the other video backbones; each overrides one factory method.
"""

from collections.abc import Sequence

from mmaction.registry import MODELS
from torch import Tensor, nn

from .residual import FrameNonLocal
from .resnet import BaseResNet

__all__ = ["TSNResNet"]


@MODELS.register_module()
class TSNResNet(BaseResNet):
    """ResNet over frames that are folded into the batch.

    Args:
        depth: 18, 34, 50 or 101.
        num_segments: Frames of a clip, ``T``; they follow each other in the batch.
        conv_cfg: Layer for the spatial convolutions, ``dict(type="CGC3d")`` say; ``None`` for plain ones.
        gated_stages: Where ``conv_cfg`` applies: 0 is the stem, 1 to 4 the residual stages. Default: everywhere.
        non_local: Per stage, a flag per block: whether a non-local block follows it.
        non_local_cfg: Arguments of MMCV's ``NonLocal3d``.
        norm_cfg, frozen_stages, norm_eval, with_cp, pretrained, if_unreachable, in_channels: As in :class:`BaseResNet`.

    Raises:
        ValueError: If an argument is out of its range, or (from ``forward``) ``num_segments`` does not divide the frames.
    """

    def __init__(
        self,
        depth: int,
        num_segments: int | None = 8,
        conv_cfg: dict | None = None,
        gated_stages: Sequence[int] | None = None,
        non_local: Sequence[Sequence[int]] = ((), (), (), ()),
        non_local_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        if num_segments is not None and num_segments < 1:
            raise ValueError(f"num_segments ({num_segments}) must be at least 1.")
        self.num_segments = num_segments
        self.non_local = _non_local_flags(non_local, self.architecture(depth)[1])
        self.non_local_cfg = {} if non_local_cfg is None else non_local_cfg
        super().__init__(depth, conv_cfg, gated_stages, **kwargs)

    def make_block(self, stage, index, in_channels, channels, *args, **parts) -> nn.Module:
        if self.non_local[stage - 1][index]:
            parts["non_local"] = self.make_non_local(self.block.expansion * channels)
        return super().make_block(stage, index, in_channels, channels, *args, **parts)

    def make_non_local(self, channels: int) -> nn.Module:
        return FrameNonLocal(channels, num_segments=self.num_segments, **self.non_local_cfg)

    def spatial_conv_cfg(self, stage: int) -> dict | None:
        """As the base class. Where frames share the batch axis, a 3D context needs their number."""
        cfg = super().spatial_conv_cfg(stage)
        if cfg is None or cfg["type"] != "CGC3d" or self.num_segments is None:
            return cfg
        return {"num_segments": self.num_segments, **cfg}

    def forward(self, x: Tensor) -> Tensor:
        """Map frames ``(N * T, C, H, W)`` to features ``(N * T, out_channels, H / 32, W / 32)``."""
        if self.num_segments and len(x) % self.num_segments:
            raise ValueError(
                f"num_segments ({self.num_segments}) must divide the frame count ({len(x)}); set it in the config."
            )
        return super().forward(x)


def _non_local_flags(non_local: Sequence[Sequence[int]], stage_blocks: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    flags = tuple(tuple(stage) if stage else (0,) * n for stage, n in zip(non_local, stage_blocks, strict=False))
    if tuple(map(len, flags)) != stage_blocks:
        raise ValueError(f"non_local ({non_local}) must hold four sequences, each empty or with a flag per block {stage_blocks}.")
    return flags
