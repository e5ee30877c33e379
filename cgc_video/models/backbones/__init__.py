from .cifar_resnet import CIFARResNet
from .p3d import P3DResNet
from .resnet import ImageResNet
from .tsm import TSMResNet
from .tsn import TSNResNet

__all__ = ["CIFARResNet", "ImageResNet", "P3DResNet", "TSMResNet", "TSNResNet"]
