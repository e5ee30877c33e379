"""Time and memory of the gated convolution, per layer and in whole networks, against a plain one and other formulations."""
