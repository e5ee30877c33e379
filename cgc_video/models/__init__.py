from .attention import BAM, CBAM, SE
from .backbones import CIFARResNet, ImageResNet, P3DResNet, TSMResNet, TSNResNet
from .classifiers import ImageClassifier
from .heads import LinearHead
from .lazy_views import LazyViewsPreprocessor
from .recognizers import ClipRecognizer2D, ClipRecognizer3D

__all__ = [
    "BAM",
    "CBAM",
    "SE",
    "CIFARResNet",
    "ClipRecognizer2D",
    "ClipRecognizer3D",
    "ImageClassifier",
    "ImageResNet",
    "LazyViewsPreprocessor",
    "LinearHead",
    "P3DResNet",
    "TSMResNet",
    "TSNResNet",
]
