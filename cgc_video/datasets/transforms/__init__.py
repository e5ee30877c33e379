"""Pipeline steps registered for the ``mmaction`` scope: decoding, mirroring, and views cut on the model's side.

Importing this module registers all of them; ``cgc_video`` names it as a place of the registry.
"""

from .flip import FlipByName
from .frame_decode import FrameDecode, FrameOpen
from .lazy_views import LazyViews
from .video_decode import VideoDecode, VideoOpen

__all__ = ["FlipByName", "FrameDecode", "FrameOpen", "LazyViews", "VideoDecode", "VideoOpen"]
