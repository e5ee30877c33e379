"""Pipeline steps registered for the ``mmaction`` scope: decoding, mirroring, views cut on the model's side, single images.

Importing this module registers all of them; ``cgc_video`` names it as a place of the registry.
"""

from .flip import FlipByName
from .frame_decode import FrameDecode, FrameOpen
from .image_crops import RandomCropImage, RandomResizedCropImage
from .images import CropBorder, LoadImage, PackImage
from .lazy_views import LazyViews
from .video_decode import VideoDecode, VideoOpen

__all__ = [
    "CropBorder",
    "FlipByName",
    "FrameDecode",
    "FrameOpen",
    "LazyViews",
    "LoadImage",
    "PackImage",
    "RandomCropImage",
    "RandomResizedCropImage",
    "VideoDecode",
    "VideoOpen",
]
