"""Image classification: data sets as they are shipped, registered for the ``mmaction`` scope.

``ImageFolder`` (ImageNet, and class folders of one's own), ``CIFAR10`` and ``ObjectNet``. A sample has ``img_path`` and
``label``; ``LoadImage`` decodes the file, and mmcv's image transforms follow.
"""

from .cifar10 import CIFAR10
from .image_folder import ImageFolder
from .objectnet import ObjectNet

__all__ = ["CIFAR10", "ImageFolder", "ObjectNet"]
