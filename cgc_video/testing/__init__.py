from .gated_conv import CASES, FLOOR, GatedConvCase, assert_close, rms_error, run_with_grads

__all__ = ["CASES", "FLOOR", "GatedConvCase", "assert_close", "rms_error", "run_with_grads"]
