"""The residual network for images of 32x32.

Source: He et al., CVPR 2016, Sec. 4.2 (6n + 2 layers in three stages); Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 4.2 (ResNet-110
"with plain blocks", whose count, 1.73 M, is that of projection shortcuts).
"""

from mmaction.registry import MODELS
from torch import Tensor

from .residual import BasicBlock
from .resnet import ImageResNet

__all__ = ["CIFARResNet"]


@MODELS.register_module()
class CIFARResNet(ImageResNet):
    """ResNet with a 3x3 stem, three stages of 16, 32 and 64 channels, and no pooling before the last.

    Args:
        depth: 20, 32, 44, 56 or 110.
        gated_stages: 0 is the stem, 1 to 3 the stages, ``res1`` to ``res3`` in Table 3(a). Default: everywhere.
        Others: As in :class:`ImageResNet`.
    """

    arch_settings = {depth: (BasicBlock, ((depth - 2) // 6,) * 3) for depth in (20, 32, 44, 56, 110)}
    stem_channels = 16
    stage_channels = (16, 32, 64)

    def _build_stem(self, in_channels: int) -> None:
        self.conv1 = self.make_conv(0, in_channels, self.stem_channels, 3)

    def stem(self, x: Tensor) -> Tensor:
        return self.conv1(x)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` to features ``(N, 64, H / 4, W / 4)``."""
        return super().forward(x)
