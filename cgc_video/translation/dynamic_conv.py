"""Dynamic convolution: kernels predicted at each position, from that position alone.

Source: Wu et al., Pay Less Attention with Lightweight and Dynamic Convolutions, ICLR 2019, Sec. 4.
"""

from mmaction.registry import MODELS
from torch import Tensor

from .blocks import linear
from .head_conv import HeadConv

__all__ = ["DynamicConv"]


@MODELS.register_module()
class DynamicConv(HeadConv):
    """A bias-free linear layer gives the kernels of all heads, each normalised by a softmax. Arguments: :class:`HeadConv`."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.predict = linear(self.width, self.heads * self.kernel_size, bias=False)

    def kernels(self, x: Tensor, valid: Tensor | None) -> Tensor:
        weights = self.predict(x).unflatten(2, (self.heads, self.kernel_size))
        return weights.to(self.predict.weight.dtype).softmax(-1)  # (B, T, H, k), in float32 under autocast
