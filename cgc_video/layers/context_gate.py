"""The gate of a context-gated convolution: context in, logits of the kernel's gate out.

Source: Lin et al., Context-Gated Convolution, ECCV 2020, arXiv:1910.05577v4, Sec. 3.2 and Fig. 2; ablations: Table 3(a).
"""

from math import gcd, prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["ChannelInteraction", "ContextGate"]

CHANNELS_PER_GROUP = 16  # c/g, Sec. 4.1


class ChannelInteraction(nn.Linear):
    """Grouped linear layer over the channels, one weight for all groups and all latent dims (Sec. 3.2, ``I``).

    Args:
        in_channels: ``C``.
        out_channels: ``O``.
        groups: ``g``; divides both. The default keeps ``C/g`` at 16 (Sec. 4.1), or the next larger size that divides; fewer
            than 16 channels (the stem) interact in full.
    """

    def __init__(self, in_channels: int, out_channels: int, groups: int | None = None) -> None:
        groups_used = _default_groups(in_channels, out_channels) if groups is None else groups
        if groups_used < 1 or in_channels % groups_used or out_channels % groups_used:
            raise ValueError(
                f"channel_groups ({groups}) must divide the input channels ({in_channels}) and the output channels "
                f"({out_channels}); leave it out for groups of {CHANNELS_PER_GROUP}."
            )
        super().__init__(in_channels // groups_used, out_channels // groups_used, bias=False)
        self.groups = groups_used

    def reset_parameters(self) -> None:
        """He initialisation (Sec. 4.1)."""
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, latent: Tensor) -> Tensor:
        """Map ``(N, C, D)`` to ``(N, O, D)``."""
        grouped = latent.unflatten(1, (self.groups, -1))                        # (N, g, C/g, D)
        return torch.matmul(self.weight, grouped).flatten(1, 2)                 # (N, O, D)

    def extra_repr(self) -> str:
        return f"{self.in_features * self.groups}, {self.out_features * self.groups}, groups={self.groups}"


class ContextGate(nn.Module):
    """Context encoding, channel interaction and gate decoding (Sec. 3.2).

    The decoders start at zero, so that a gate starts as the constant ``sigmoid(0) = 0.5``. The paper (A.2) zero-initialises the
    last normalisation layers instead; with the ReLU behind them no gradient would ever reach the gate.

    Args:
        in_channels: ``C``, channels of the convolution's input.
        out_channels: ``O``.
        context_size: Elements of the pooled context per channel, ``prod(P)``.
        gate_shape: Shape of the decoded logits per channel: the kernel ``(*K)``, or ``(A, *K)`` for ``A`` positions in time.
        latent_dim: ``D``.
        gate: ``"both"`` logits are summed; ``"in"`` or ``"out"``: one of them alone; ``"product"``: ``G(1) * G(2)``.
        channel_groups: ``g`` of the channel interaction; default: groups of 16 channels.
        shared_norm: One normalisation for both branches of the latent context.
        shared_decoder: One decoder for both branches.
        two_encoders: A second encoder for the branch of the output channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        context_size: int,
        gate_shape: tuple[int, ...],
        latent_dim: int,
        gate: str = "both",
        channel_groups: int | None = None,
        shared_norm: bool = False,
        shared_decoder: bool = False,
        two_encoders: bool = False,
    ) -> None:
        super().__init__()
        if gate not in ("both", "in", "out", "product"):
            raise ValueError(f"gate ({gate!r}) must be 'both', 'in', 'out' or 'product'.")
        if latent_dim < 1:
            raise ValueError(f"latent_dim ({latent_dim}) must be at least 1.")
        self.gate, self.gate_shape = gate, tuple(gate_shape)
        has_in, has_out = gate != "out", gate != "in"
        if not (has_in and has_out) and (shared_norm or shared_decoder or two_encoders):
            raise ValueError(f"gate ({gate!r}) has one branch; shared_norm, shared_decoder and two_encoders need two.")

        if gate == "product" and shared_decoder:
            raise ValueError("gate ('product') with shared_decoder starts at a point without gradient; give it two decoders.")

        self.encode = nn.Linear(context_size, latent_dim, bias=False)
        self.encode_mid = nn.Linear(context_size, latent_dim, bias=False) if two_encoders else None
        self.norm_in = nn.BatchNorm1d(in_channels) if has_in else None
        self.norm_mid = nn.BatchNorm1d(in_channels) if has_out and not shared_norm else None
        self.interact = ChannelInteraction(in_channels, out_channels, channel_groups) if has_out else None
        self.norm_out = nn.BatchNorm1d(out_channels) if has_out else None
        self.decode_in = nn.Linear(latent_dim, prod(gate_shape), bias=False) if has_in else None
        self.decode_out = nn.Linear(latent_dim, prod(gate_shape), bias=False) if has_out and not shared_decoder else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """He initialisation (Sec. 4.1) of the encoders, zeros for the decoders (the departure from A.2 stated above).

        A product of two zeros has no gradient either, so there one decoder starts at random: the product is zero all the same.
        """
        for encoder in (self.encode, self.encode_mid):
            if encoder is not None:
                nn.init.kaiming_normal_(encoder.weight, mode="fan_out", nonlinearity="relu")
        for decoder in (self.decode_in, self.decode_out):
            if decoder is not None:
                nn.init.zeros_(decoder.weight)
        if self.gate == "product" and self.decode_out is not None:
            nn.init.kaiming_normal_(self.decode_out.weight, mode="fan_out")

    def forward(self, context: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Decode the logits of both gates.

        Args:
            context: Pooled context ``(N, C, prod(P))``.

        Returns:
            ``gate_in (N, C, *gate_shape)`` and ``gate_out (N, O, *gate_shape)``; ``None`` for a branch that is left out.
        """
        latent = self.encode(context)                                           # (N, C, D)
        gate_in = gate_out = None
        if self.norm_in is not None:
            channels = F.relu(self.norm_in(latent))                             # (N, C, D)
            if self.decode_in is not None:
                gate_in = self.decode_in(channels).unflatten(-1, self.gate_shape)
        if self.interact is not None:
            if self.encode_mid is not None:
                latent = self.encode_mid(context)
            branch = channels if self.norm_mid is None else F.relu(self.norm_mid(latent))
            projected = F.relu(self.norm_out(self.interact(branch)))            # (N, O, D)
            decoder = self.decode_in if self.decode_out is None else self.decode_out
            gate_out = decoder(projected).unflatten(-1, self.gate_shape)
        return gate_in, gate_out

    def extra_repr(self) -> str:
        return f"gate={self.gate!r}, gate_shape={self.gate_shape}"


def _default_groups(in_channels: int, out_channels: int) -> int:
    """The most groups that divide both channel counts and hold at least 16 input channels each."""
    common = gcd(in_channels, out_channels)
    divisors = (d for d in range(1, common + 1) if common % d == 0 and in_channels // d >= CHANNELS_PER_GROUP)
    return max(divisors, default=1)
