"""Context-Gated Convolution for video: gated layers, backbones and tools on MMEngine and MMAction2.

``import cgc_video`` registers everything by name and stays cheap: the conv layers at once, the rest when a registry is
first asked for a type (registries import the modules in their ``_locations``).
"""

from . import compat
from .version import __version__

__all__ = ["__version__"]

# Which of mmaction's registries looks for its types in which of our modules.
_LOCATIONS = {
    "MODELS": "cgc_video.models",
    "DATASETS": "cgc_video.datasets.listed",
    "TRANSFORMS": "cgc_video.datasets.transforms",
    "HOOKS": "cgc_video.engine",
    "METRICS": "cgc_video.evaluation",
    "EVALUATOR": "cgc_video.evaluation",
}


def _register() -> None:
    import importlib

    compat.apply_all()
    from mmaction import registry

    from . import layers  # noqa: F401  conv layers live in MMEngine's root, which has no lazy locations

    for name, module in _LOCATIONS.items():
        known = getattr(registry, name)
        if module not in known._locations:
            known._locations.append(module)
        if known._imported:  # someone has asked this registry before us
            importlib.import_module(module)


_register()
