from .p3d import P3DResNet
from .tsm import TSMResNet
from .tsn import TSNResNet

__all__ = ["P3DResNet", "TSMResNet", "TSNResNet"]
