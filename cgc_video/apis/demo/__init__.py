"""A local page that names what a clip shows, and where the network looked; needs the extra ``demo``."""

from .answer import Answer, Answerer
from .limits import Limits
from .page import build_page, serve

__all__ = ["Answer", "Answerer", "Limits", "build_page", "serve"]
