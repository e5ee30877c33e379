from .gated_conv import gated_conv2d, gated_conv2d_reference, modulated_conv2d, select_backend

__all__ = ["gated_conv2d", "gated_conv2d_reference", "modulated_conv2d", "select_backend"]
