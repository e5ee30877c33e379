from .functional import BACKENDS, gated_conv2d, select_backend, unsupported_reason
from .reference import gated_conv2d_reference, modulated_conv2d

__all__ = [
    "BACKENDS",
    "gated_conv2d",
    "gated_conv2d_reference",
    "modulated_conv2d",
    "select_backend",
    "unsupported_reason",
]
