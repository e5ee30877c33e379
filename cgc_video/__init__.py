"""Context-Gated Convolution for video: gated layers, backbones and tools on MMEngine and MMAction2.

``import cgc_video`` registers everything by name and stays cheap: the conv layers at once, the rest when a registry is
first asked for a type (registries import the modules in their ``_locations``).
"""

from . import compat
from .version import __version__

__all__ = ["__version__"]

# Which of mmaction's registries (of MMEngine's, where it has none of the name) looks for its types in which of our modules.
_TRANSLATION = "cgc_video.translation.registered"
_LOCATIONS = {
    "MODELS": ("cgc_video.models", "cgc_video.translation"),
    "DATASETS": ("cgc_video.datasets.listed", "cgc_video.datasets.images", _TRANSLATION),
    "TRANSFORMS": ("cgc_video.datasets.transforms",),
    "HOOKS": ("cgc_video.engine", "cgc_video.engine.guards", _TRANSLATION),
    "METRICS": ("cgc_video.evaluation", _TRANSLATION),
    "LOOPS": ("cgc_video.engine", _TRANSLATION),
    "DATA_SAMPLERS": ("cgc_video.datasets.sample_seeds", _TRANSLATION),
    "PARAM_SCHEDULERS": (_TRANSLATION,),
    "FUNCTIONS": (_TRANSLATION,),
    "EVALUATOR": ("cgc_video.evaluation",),
}


def _register() -> None:
    import importlib

    compat.apply_all()
    import mmengine.registry as root
    from mmaction import registry

    from . import layers  # noqa: F401  conv layers live in MMEngine's root, which has no lazy locations

    for name, modules in _LOCATIONS.items():
        known = getattr(registry if hasattr(registry, name) else root, name)  # an empty registry is false
        for module in modules:
            if module not in known._locations:
                known._locations.append(module)
            if known._imported:  # someone has asked this registry before us
                importlib.import_module(module)


_register()
