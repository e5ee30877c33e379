"""Which decoder a pipeline uses: accuracies hang on it, so logs name it."""

from collections.abc import Iterable

from .decoding.jpeg import choose_jpeg_backend
from .transforms import FrameDecode, LoadImage, VideoDecode, VideoOpen

__all__ = ["decoder_name"]


def decoder_name(transforms: Iterable) -> str:
    """``"pyav"``, ``"simplejpeg"``, or the name of a decoding step that is not ours; ``"none"`` where nothing is decoded."""
    for step in transforms:
        if isinstance(step, VideoOpen) or (isinstance(step, VideoDecode) and step.backend):
            return step.backend
        if isinstance(step, FrameDecode | LoadImage):
            return choose_jpeg_backend(step.backend)
        if "Decode" in (name := type(step).__name__):
            return f"MMAction2's {name}"
    return "none"
