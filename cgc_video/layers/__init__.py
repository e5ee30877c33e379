from .cgc import CGC1d, CGC2d, CGC3d
from .context_gate import ChannelInteraction, ContextGate

__all__ = ["CGC1d", "CGC2d", "CGC3d", "ChannelInteraction", "ContextGate"]
