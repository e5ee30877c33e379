"""Every ``type`` of a config must name something registered."""

from typing import Any

from mmaction import registry as R
from mmengine.config import Config
from mmengine.registry import EVALUATOR, FUNCTIONS, LOG_PROCESSORS, Registry

from ...errors import UserError
from ..names import suggestion

__all__ = ["check_types", "registered_names", "resolve"]

# Top-level keys of a config and the registry their ``type`` belongs to.
_TOP = {
    "model": R.MODELS,
    "data_preprocessor": R.MODELS,
    "train_dataloader": R.DATASETS,
    "val_dataloader": R.DATASETS,
    "test_dataloader": R.DATASETS,
    "train_cfg": R.LOOPS,
    "val_cfg": R.LOOPS,
    "test_cfg": R.LOOPS,
    "optim_wrapper": R.OPTIM_WRAPPERS,
    "param_scheduler": R.PARAM_SCHEDULERS,
    "val_evaluator": R.METRICS,
    "test_evaluator": R.METRICS,
    "default_hooks": R.HOOKS,
    "custom_hooks": R.HOOKS,
    "visualizer": R.VISUALIZERS,
    "log_processor": LOG_PROCESSORS,
}
# Keys below them at which another registry takes over.
_BELOW = {
    "pipeline": R.TRANSFORMS,
    "sampler": R.DATA_SAMPLERS,
    "batch_sampler": R.DATA_SAMPLERS,
    "collate_fn": FUNCTIONS,
    "init_cfg": R.WEIGHT_INITIALIZERS,
    "optimizer": R.OPTIMIZERS,
    "vis_backends": R.VISBACKENDS,
}
# Looked up by hand in MMAction2: TSN's consensus, and the augmenters of imgaug.
_NOT_REGISTERED_KEYS = {"consensus"}
_NOT_WALKED_TYPES = {"Imgaug", "TorchVisionWrapper", "PytorchVideoWrapper"}


def check_types(cfg: Config) -> None:
    """Refuse the first ``type`` that no registry knows, with the nearest registered name.

    Types given as classes or functions are accepted. Only the parts of a config that are built are looked at.
    """
    for key, registry in _TOP.items():
        if isinstance(cfg.get(key), dict | list | tuple):
            _walk(cfg[key], key, registry)
    constructor = (cfg.get("optim_wrapper") or {}).get("constructor")
    if isinstance(constructor, str):
        _check_name(constructor, "optim_wrapper.constructor", R.OPTIM_WRAPPER_CONSTRUCTORS)
    if isinstance(cfg.get("runner_type"), str):
        _check_name(cfg.runner_type, "runner_type", R.RUNNERS)


def resolve(kind: Any, registry: Registry) -> Any:
    """The class or function behind a ``type``, or None."""
    if not isinstance(kind, str):
        return kind if callable(kind) else None
    try:
        return registry.get(kind)
    except (RuntimeError, ImportError, AttributeError, KeyError):
        return None


def registered_names(registry: Registry) -> set[str]:
    """Names that a ``type`` may use without a scope: those of the registry and of its parents."""
    registry.import_from_location()
    names = set(registry.module_dict)
    return names | registered_names(registry.parent) if registry.parent is not None else names


def _walk(node: Any, way: str, registry: Registry) -> None:
    if isinstance(node, list | tuple):
        for index, part in enumerate(node):
            _walk(part, f"{way}.{index}", registry)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind is not None and kind != "":
            _check_name(kind, f"{way}.type", registry)
        if kind in _NOT_WALKED_TYPES:
            return
        for key, part in node.items():
            if key not in _NOT_REGISTERED_KEYS:
                _walk(part, f"{way}.{key}", _BELOW.get(key, registry))


def _check_name(kind: Any, way: str, registry: Registry) -> None:
    if not isinstance(kind, str):
        if callable(kind):
            return
        raise UserError(f"{way} ({kind!r}) must be a registered name or a class; write its name as a string.")
    if resolve(kind, registry) is not None:
        return
    # A type may be built by hand from another registry; what exists anywhere is left to the one who builds it.
    if any(kind in registered_names(other) for other in {*_TOP.values(), *_BELOW.values(), EVALUATOR} if other):
        return
    bare = kind.rpartition(".")[2]
    hint = suggestion(bare, registered_names(registry)) or "; list its module in custom_imports if it is your own"
    raise UserError(f"{way} ({kind!r}) is not a registered {registry.name}{hint}.")
