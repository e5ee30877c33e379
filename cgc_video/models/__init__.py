from .backbones import P3DResNet, TSMResNet, TSNResNet
from .lazy_views import LazyViewsPreprocessor
from .recognizers import ClipRecognizer2D, ClipRecognizer3D

__all__ = ["ClipRecognizer2D", "ClipRecognizer3D", "LazyViewsPreprocessor", "P3DResNet", "TSMResNet", "TSNResNet"]
