from .dispatch import BACKENDS, select_backend, unsupported_reason
from .functional import gated_conv2d
from .reference import gated_conv2d_reference, modulated_conv2d

__all__ = [
    "BACKENDS",
    "gated_conv2d",
    "gated_conv2d_reference",
    "modulated_conv2d",
    "select_backend",
    "unsupported_reason",
]
