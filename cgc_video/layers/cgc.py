"""Context-gated convolutions under 1D (time), 2D (space) and 3D (space and time) context.

Each sample, or frame, is convolved with the kernel ``weight * sigmoid(gate_in + gate_out)``, whose logits :class:`ContextGate`
decodes from the pooled input. The three differ in the grid that the input is pooled to. Registered in MMEngine's root, so that
``conv_cfg=dict(type="CGC2d")`` works in every model that builds its convolutions by ``build_conv_layer``.

Source: Lin et al., ECCV 2020, arXiv:1910.05577v4, Sec. 3 (2D), Sec. 4.3 (1D and 3D).
"""

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from .context_gated_conv import ContextGatedConv, Size, pool1d, pool2d

__all__ = ["CGC1d", "CGC2d", "CGC3d"]


@MODELS.register_module()
class CGC2d(ContextGatedConv, nn.Conv2d):
    """2D convolution gated by the context of the whole feature map; one gate per sample.

    Takes every argument of :class:`torch.nn.Conv2d`, and the options of Table 3(a): those of :class:`ContextGate`, and

    Args:
        context_scale: The context is pooled to ``context_scale`` times the kernel size (``h' = 2 k1``).
        latent_dim: Default ``kh * kw // 2 + 1``.
        pool: ``"avg"`` or ``"max"``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device=None,
        dtype=None,
        **gate_options,
    ) -> None:
        nn.Conv2d.__init__(
            self, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )
        self._set_up_gate(side=self.kernel_size, **gate_options)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, O, H_out, W_out)``."""
        return self._convolve(x, *self.gate_logits(x))

    def _decode_logits(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return self.gate(pool2d(x, self.grid, self.pool).flatten(2))            # context (N, C, prod(P))


@MODELS.register_module()
class CGC1d(ContextGatedConv):
    """Temporal convolution gated by the context over time; one gate per sample.

    Replaces a ``(k, 1, 1)`` convolution of ``(N, C, T, H, W)``, whose context is averaged over space, or a convolution of
    sequences ``(N, C, L)``.

    Args:
        kernel_size: ``k`` as in :class:`torch.nn.Conv1d`, or ``(k, 1, 1)`` as in :class:`torch.nn.Conv3d`; stride, padding and
            dilation likewise, each acting on time alone.
        latent_dim: Default ``k // 2 + 1``.
        Others: As in :class:`CGC2d`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device=None,
        dtype=None,
        **gate_options,
    ) -> None:
        sizes = (kernel_size, stride, padding, dilation)
        super().__init__(
            in_channels, out_channels, *sizes, groups, bias, padding_mode, default_dims=1, device=device, dtype=dtype
        )
        self._require(self.kernel_size[1:] in ((), (1, 1)), "kernel_size", "k or (k, 1, 1)")
        self._require(self.stride[1:] in ((), (1, 1)), "stride", "s or (s, 1, 1)")
        spatial_padding = () if isinstance(self.padding, str) else self.padding[1:]
        self._require(spatial_padding in ((), (0, 0)), "padding", "p or (p, 0, 0)")
        self._set_up_gate(side=self.kernel_size[:1], **gate_options)

    def _as2d(self, values: tuple[int, ...], fill: int) -> tuple[int, int]:
        return values[0], fill  # time runs along the rows, the flattened space along the columns

    def _pads2d(self) -> tuple[int, ...]:
        return (0, 0, *self._reversed_padding_repeated_twice[-2:])

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, T, H, W)`` to ``(N, O, T_out, H, W)``, or ``(N, C, L)`` to ``(N, O, L_out)``."""
        space = x.shape[3:]
        folded = x.flatten(3) if space else x.unsqueeze(3)                      # (N, C, T, H * W)
        y = self._convolve(folded, *self.gate_logits(x))
        return y.unflatten(3, space) if space else y.squeeze(3)

    def _decode_logits(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        over_time = x.flatten(3).mean(3) if x.dim() > 3 else x                  # (N, C, T)
        return self.gate(pool1d(over_time, self.grid, self.pool))               # context (N, C, prod(P))


@MODELS.register_module()
class CGC3d(ContextGatedConv):
    """Spatial convolution applied per frame, gated by the spatiotemporal context of the clip; one gate per frame.

    The gate decodes ``gate_frames`` positions in time, which are interpolated linearly to the frames that arrive: any number of
    frames runs, and the parameters match the paper's counts. ``gate_frames`` equal to the number of frames is the paper's
    literal form, without interpolation.

    Args:
        kernel_size: ``k`` or ``(kh, kw)`` as in :class:`torch.nn.Conv2d`, or ``(1, kh, kw)`` as in :class:`torch.nn.Conv3d`;
            stride, padding and dilation likewise, each acting on space alone.
        num_segments: ``T``, for frames folded into the batch; needless for ``(N, C, T, H, W)``.
        gate_frames: ``A``, default: the height of the kernel.
        latent_dim: Default ``prod(P) // 2 + 1``, with the context grid ``P = (kh, kh, kw)``.
        Others: As in :class:`CGC2d`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device=None,
        dtype=None,
        num_segments: int | None = None,
        gate_frames: int | None = None,
        **gate_options,
    ) -> None:
        for name, value in (("num_segments", num_segments), ("gate_frames", gate_frames)):
            if value is not None and value < 1:
                raise ValueError(f"{name} ({value}) must be at least 1.")
        sizes = (kernel_size, stride, padding, dilation)
        super().__init__(
            in_channels, out_channels, *sizes, groups, bias, padding_mode, default_dims=2, device=device, dtype=dtype
        )
        if len(self.kernel_size) not in (2, 3) or self.kernel_size[:-2] not in ((), (1,)):
            self._require(False, "kernel_size", "k, (kh, kw) or (1, kh, kw)")
        self._require(self.stride[:-2] in ((), (1,)), "stride", "s, (sh, sw) or (1, sh, sw)")
        time_padding = () if isinstance(self.padding, str) else self.padding[:-2]
        self._require(time_padding in ((), (0,)), "padding", "p, (ph, pw) or (0, ph, pw)")
        self.num_segments = num_segments
        height, width = self._as2d(self.kernel_size, fill=1)
        self._set_up_gate((height, height, width), height if gate_frames is None else gate_frames, **gate_options)

    def forward(self, x: Tensor) -> Tensor:
        """Map frames ``(N * T, C, H, W)`` to ``(N * T, O, H_out, W_out)``, or clips ``(N, C, T, H, W)`` likewise."""
        frames, num_frames = self._frames(x)
        y = self._convolve(frames, *self._frame_logits(frames, num_frames))
        return y.unflatten(0, (-1, num_frames)).transpose(1, 2) if x.dim() == 5 else y

    def _frames(self, x: Tensor) -> tuple[Tensor, int]:
        """Fold frames into the batch; returns ``(N * T, C, H, W)`` and ``T``."""
        if x.dim() == 5:
            return x.transpose(1, 2).flatten(0, 1), x.shape[2]
        if self.num_segments is None:
            raise ValueError(f"x {tuple(x.shape)} has no time axis; set num_segments, or give clips (N, C, T, H, W).")
        if x.shape[0] % self.num_segments:
            raise ValueError(
                f"num_segments ({self.num_segments}) must divide the frame count ({x.shape[0]}); set it in the config."
            )
        return x, self.num_segments

    def _decode_logits(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return self._frame_logits(*self._frames(x))

    def _frame_logits(self, frames: Tensor, num_frames: int) -> tuple[Tensor | None, Tensor | None]:
        if self.gate is None:
            return None, None
        spatial = pool2d(frames, self.grid[1:], self.pool).flatten(2)           # (N * T, C, P_h * P_w)
        over_time = spatial.unflatten(0, (-1, num_frames)).movedim(1, -1)       # (N, C, P_h * P_w, T)
        context = pool1d(over_time.flatten(1, 2), self.grid[:1], self.pool)     # (N, C * P_h * P_w, P_t)
        context = context.unflatten(1, (self.in_channels, -1)).transpose(2, 3)  # (N, C, P_t, P_h * P_w)
        gate_in, gate_out = self.gate(context.flatten(2))
        return _to_frames(gate_in, num_frames), _to_frames(gate_out, num_frames)


def _to_frames(logits: Tensor | None, num_frames: int) -> Tensor | None:
    """Interpolate logits ``(N, C, A, kh, kw)`` linearly over time, and fold: ``(N * T, C, kh, kw)``."""
    if logits is None:
        return None
    positions = logits.shape[2]
    if positions == num_frames:
        return logits.transpose(1, 2).flatten(0, 1)
    identity = torch.eye(positions, device=logits.device).unsqueeze(0)
    mixing = F.interpolate(identity, size=num_frames, mode="linear", align_corners=False)[0]  # (A, T)
    return torch.einsum("ncakl,at->ntckl", logits, mixing.to(logits.dtype)).flatten(0, 1)
