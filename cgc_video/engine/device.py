"""The device that an option names."""

import torch

from ..errors import UserError

__all__ = ["check_device"]


def check_device(name: str) -> torch.device:
    """``cpu``, ``cuda`` or ``cuda:N``, if this machine has it.

    Raises:
        UserError: If it is another name, or not there.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"--device ({name}) must be cpu, cuda or cuda:N.") from None
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"--device ({name}) must be cpu, cuda or cuda:N.")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= found:
        raise UserError(f"--device ({name}) is not here: PyTorch finds {found} GPUs; use --device cpu.")
    return device
