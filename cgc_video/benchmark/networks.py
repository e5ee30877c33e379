"""The whole networks that are compared: their table, and how each is built and run."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgc_video.errors import UserError
from cgc_video.layers import ContextGate
from cgc_video.ops import gated_conv2d_reference

from .formulations import get_formulation, use_op
from .layer_cases import LayerCase, materialised_bytes, trace_layers
from .settings import Settings
from .step import Step

__all__ = ["NETWORKS", "Network", "NetworkCase"]

NUM_CLASSES = 174  # Something-Something v1


@dataclass(frozen=True)
class NetworkCase:
    """A network and its input.

    Args:
        backbone: Class of ``cgc_video.models``.
        gate: Layer of the gated networks.
        clips, frames, size: The batch is ``clips * frames`` frames of ``size`` squared.
        default_on: ``"cpu"`` or ``"cuda"``: where it runs unless cases are named.

    Raises:
        UserError: If the frames are too small.
    """

    name: str
    backbone: str
    depth: int
    gate: str
    clips: int
    frames: int
    size: int
    default_on: str = "cpu"

    def __post_init__(self) -> None:
        if self.size < 32:
            raise UserError(f"--size ({self.size}) must be at least 32, which the network reduces to one pixel.")

    @property
    def input(self) -> str:
        return f"{self.clips * self.frames} x 3 x {self.size} x {self.size}"

    def resized(self, size: int | None, clips: int | None) -> "NetworkCase":
        """The case at another input; ``None`` leaves a value as it is.

        Raises:
            UserError: If that leaves a single frame.
        """
        case = replace(self, size=self.size if size is None else size, clips=self.clips if clips is None else clips)
        if case.clips * case.frames < 2:
            raise UserError(f"--clips ({clips}) must be at least 2 for {self.name}: its norms need two frames.")
        return case

    def layers(self) -> list[LayerCase]:
        """The distinct gated convolutions."""
        with torch.device("meta"):
            network = Network(self, gated=True)
            frames = torch.empty(self.clips * self.frames, 3, self.size, self.size)
        return trace_layers(network.eval(), frames)

    def build(self, gated: bool) -> "Network":
        """The network with random weights from a fixed seed, gates that differ, and running statistics that fit.

        With the statistics of a fresh network, evaluation would let activations grow from block to block, far out of the
        range of a trained network's logits. A batch of at most 64 squared sets them.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = Network(self, gated)
            for module in network.modules():
                if isinstance(module, ContextGate):
                    nn.init.normal_(module.decode_in.weight, std=0.1)
                    nn.init.normal_(module.decode_out.weight, std=0.1)
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.momentum = 1.0
            side, clips = min(self.size, 64), max(1, -(-8 // self.frames))
            with torch.no_grad(), use_op(gated_conv2d_reference):
                network.train()(torch.randn(clips * self.frames, 3, side, side))
            for module in network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.momentum = 0.1
        return network

    def step(self, formulation: str, training: bool, settings: Settings) -> Step:
        network = self.build(gated=formulation != "plain").to(settings.device, memory_format=settings.memory_format)
        network.train(training)
        generator = torch.Generator().manual_seed(1)
        frames = torch.randn(self.clips * self.frames, 3, self.size, self.size, generator=generator)
        frames = frames.to(settings.device).contiguous(memory_format=settings.memory_format)
        labels = torch.arange(self.clips, device=settings.device) % NUM_CLASSES
        function = get_formulation(formulation)

        def infer() -> Tensor:
            with torch.inference_mode(), settings.autocast(), use_op(function):
                return network(frames)

        def train() -> None:
            with settings.autocast(), use_op(function):
                loss = F.cross_entropy(network(frames), labels)
            loss.backward()

        return Step(train if training else infer, network.parameters())

    def needed_bytes(self, formulation: str, training: bool) -> int:
        return materialised_bytes(self.layers(), formulation, training)

    def operations(self, training: bool) -> None:
        return None


NETWORKS = (
    NetworkCase("r50-cgc2d", "TSNResNet", 50, "CGC2d", clips=8, frames=1, size=224),
    NetworkCase("tsm-r50-cgc3d", "TSMResNet", 50, "CGC3d", clips=1, frames=8, size=224),
    NetworkCase("tsm-r18-cgc3d-64", "TSMResNet", 18, "CGC3d", clips=32, frames=8, size=64),
    NetworkCase("tsm-r50-cgc3d-16clips", "TSMResNet", 50, "CGC3d", clips=16, frames=8, size=224, default_on="cuda"),
)


class Network(nn.Module):
    """Backbone, mean over frames and space, linear classifier."""

    def __init__(self, case: NetworkCase, gated: bool) -> None:
        super().__init__()
        from cgc_video import models  # imports mmaction: only where a network is built

        self.num_segments = case.frames
        backbone = getattr(models, case.backbone)
        self.backbone = backbone(case.depth, case.frames, conv_cfg={"type": case.gate} if gated else None)
        self.head = nn.Linear(self.backbone.out_channels, NUM_CLASSES)

    def forward(self, frames: Tensor) -> Tensor:
        """Map ``(N * T, 3, H, W)`` to scores ``(N, NUM_CLASSES)``."""
        features = self.backbone(frames).mean((2, 3))
        return self.head(features.unflatten(0, (-1, self.num_segments)).mean(1))
