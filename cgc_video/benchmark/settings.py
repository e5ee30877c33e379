"""How a benchmark runs: device, precision, memory format, threads, rounds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from cgc_video.engine.device import check_device
from cgc_video.errors import UserError

__all__ = ["AMP_DTYPES", "Settings"]

AMP_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Settings:
    """What holds for every case of a run.

    Args:
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        amp: Autocast dtype by its name in ``AMP_DTYPES``; ``None`` for float32.
        channels_last: Memory format of activations and kernels.
        threads: Of PyTorch on the CPU.
        repeats: Measured rounds.
        warmup: Rounds before them that are not measured.

    Raises:
        UserError: If a value is out of its range, or there is no such device.
    """

    device: str = "cpu"
    amp: str | None = None
    channels_last: bool = False
    threads: int = 1
    repeats: int = 5
    warmup: int = 1

    def __post_init__(self) -> None:
        for name in ("threads", "repeats", "warmup"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} ({getattr(self, name)}) must be at least 1.")
        if self.amp is not None and self.amp not in AMP_DTYPES:
            raise UserError(f"--amp ({self.amp}) must be one of {', '.join(AMP_DTYPES)}; leave it out for float32.")
        check_device(self.device)

    @property
    def on_gpu(self) -> bool:
        return torch.device(self.device).type == "cuda"

    @property
    def dtype(self) -> torch.dtype:
        """Of activations and products; parameters and logits are float32."""
        return torch.float32 if self.amp is None else AMP_DTYPES[self.amp]

    @property
    def memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def autocast(self) -> torch.autocast:
        kind = torch.device(self.device).type
        return torch.autocast(kind, dtype=AMP_DTYPES.get(self.amp or "", torch.bfloat16), enabled=self.amp is not None)

    def activations(self, values: Tensor) -> Tensor:
        """Values as they flow between layers: on the device, in ``dtype`` and ``memory_format``."""
        return values.detach().to(self.device, self.dtype).contiguous(memory_format=self.memory_format)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Set PyTorch's threads, device and choice of convolution algorithm (cuDNN tries them out), and restore them."""
        threads, tuned = torch.get_num_threads(), torch.backends.cudnn.benchmark
        torch.set_num_threads(self.threads)
        torch.backends.cudnn.benchmark = True
        try:
            with torch.cuda.device(torch.device(self.device).index if self.on_gpu else -1):
                yield
        finally:
            torch.set_num_threads(threads)
            torch.backends.cudnn.benchmark = tuned

    def synchronize(self) -> None:
        if self.on_gpu:
            torch.cuda.synchronize(self.device)
