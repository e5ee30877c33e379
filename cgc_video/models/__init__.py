from .backbones import P3DResNet, TSMResNet, TSNResNet
from .recognizers import ClipRecognizer2D, ClipRecognizer3D

__all__ = ["ClipRecognizer2D", "ClipRecognizer3D", "P3DResNet", "TSMResNet", "TSNResNet"]
