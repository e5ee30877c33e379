"""Machine translation (Sec. 4.4): LightConv, its context-gated encoder, and what trains and tests them."""

from .beam_search import BeamSearch
from .decoder import TranslationDecoder
from .encoder import TranslationEncoder
from .model import TranslationModel
from .preprocessor import TokenBatchPreprocessor
from .tagging import TaggingModel

__all__ = [
    "BeamSearch",
    "TaggingModel",
    "TokenBatchPreprocessor",
    "TranslationDecoder",
    "TranslationEncoder",
    "TranslationModel",
]
