"""Known defects of the packages below, each contained in one function.

Every function names the defect, does nothing where it is absent (a fork or a later release may have mended it), and has a
test against the installed package in ``tests/test_compat.py``. ``apply_all`` runs on ``import cgc_video``; the functions
that touch a heavy module wait for it with ``_after_import``.
"""

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import pickle
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = [
    "allow_checkpoint_types",
    "apply_all",
    "checkpoint_types",
    "default_weight_decay_in_tsm_optimizer",
    "has_allow_list",
    "missing_drn_localizer",
    "quiet_mmcv_lite",
    "skip_absent_tsm_weights",
]


def apply_all() -> None:
    """Contain every defect that is present; safe to call twice."""
    missing_drn_localizer()
    allow_checkpoint_types()
    quiet_mmcv_lite()
    _after_import("mmaction.models.backbones.resnet_tsm", skip_absent_tsm_weights)
    _after_import("mmaction.engine.optimizers.tsm_optim_wrapper_constructor", default_weight_decay_in_tsm_optimizer)


def missing_drn_localizer() -> bool:
    """mmaction2 1.2.0's wheel lacks ``mmaction.models.localizers.drn``, which ``mmaction.models`` imports.

    A placeholder package with a ``DRN`` that refuses to be built takes its place. Returns whether it was needed.
    """
    name = "mmaction.models.localizers.drn"
    spec = importlib.util.find_spec("mmaction")
    if spec is None or name in sys.modules:
        return False
    folder = Path(spec.submodule_search_locations[0], "models", "localizers", "drn")
    if folder.exists():
        return False

    class DRN:
        """Stands for a class that this build of mmaction2 does not contain."""

        def __init__(self, *args, **kwargs):
            raise ImportError(
                "DRN is missing from this build of mmaction2; install mmaction2 from its source to use it."
            )

    package, module = types.ModuleType(name), types.ModuleType(f"{name}.drn")
    package.__path__, module.DRN = [], DRN
    sys.modules[name], sys.modules[f"{name}.drn"] = package, module
    return True


def checkpoint_types() -> dict[str, Any]:
    """By full name, what mmengine 0.10.7 and numpy put into a checkpoint beside tensors; the one list of what may be loaded."""
    import numpy as np
    from mmengine.logging.history_buffer import HistoryBuffer

    def statistics_method(owner: type, name: str):
        """What a pickled HistoryBuffer needs of ``getattr``, and no more."""
        if owner is not HistoryBuffer or name.startswith("_"):
            raise pickle.UnpicklingError(f"getattr({owner!r}, {name!r}) is not allowed in a checkpoint.")
        return getattr(owner, name)

    core = getattr(np, "_core", None) or np.core
    types_by_name = {
        "mmengine.logging.history_buffer.HistoryBuffer": HistoryBuffer,
        "builtins.getattr": statistics_method,
    }
    types_by_name |= {"numpy.ndarray": np.ndarray, "numpy.dtype": np.dtype}
    for package in ("numpy.core", "numpy._core"):  # before and since numpy 2: a checkpoint may be of either
        types_by_name[f"{package}.multiarray._reconstruct"] = core.multiarray._reconstruct
        types_by_name[f"{package}.multiarray.scalar"] = core.multiarray.scalar
    if hasattr(np, "dtypes"):  # numpy >= 1.25 pickles a dtype by its own class
        kinds = ("Float64", "Float32", "Float16", "Int64", "Int32", "UInt8", "Bool")
        types_by_name |= {f"numpy.dtypes.{kind}DType": getattr(np.dtypes, f"{kind}DType") for kind in kinds}
    return types_by_name


def has_allow_list() -> bool:
    """Whether ``torch.load(weights_only=True)`` can be told by name what else may be loaded: torch 2.6 and later."""
    import torch

    major, minor = torch.__version__.split(".")[:2]
    return (int(major), int(minor)) >= (2, 6)


def allow_checkpoint_types() -> bool:
    """torch >= 2.6 loads with ``weights_only=True``, which refuses what mmengine 0.10.7 writes into a checkpoint.

    The types are allowed by name; loading stays safe. Returns whether this torch needs it; for an older one see
    ``cgc_video.models.checkpoints``.
    """
    import torch

    if not has_allow_list():
        return False
    torch.serialization.add_safe_globals([(value, name) for name, value in checkpoint_types().items()])
    return True


def quiet_mmcv_lite() -> bool:
    """mmcv-lite warns at each start that its transformer lacks compiled operators, which nothing here uses. Returns True."""
    warnings.filterwarnings("ignore", message="Fail to import ``MultiScaleDeformableAttention``")
    return True


def skip_absent_tsm_weights() -> bool:
    """``ResNetTSM(pretrained2d=True, pretrained=None)`` of mmaction2 1.2.0 tries to load the checkpoint ``None``."""
    from mmaction.models.backbones.resnet_tsm import ResNetTSM

    original = ResNetTSM.init_weights
    if getattr(original, "_cgc_video", False):
        return False

    @functools.wraps(original)
    def init_weights(self) -> None:
        if self.pretrained is None:
            self.pretrained2d = False
        original(self)

    init_weights._cgc_video = True
    ResNetTSM.init_weights = init_weights
    return True


def default_weight_decay_in_tsm_optimizer() -> bool:
    """``TSMOptimWrapperConstructor`` of mmaction2 1.2.0 hands ``weight_decay=None`` to the optimizer if none is given."""
    from mmaction.engine.optimizers.tsm_optim_wrapper_constructor import TSMOptimWrapperConstructor

    original = TSMOptimWrapperConstructor.add_params
    if getattr(original, "_cgc_video", False):
        return False

    @functools.wraps(original)
    def add_params(self, params, model, **kwargs) -> None:
        if self.base_wd is None:
            self.base_wd = 0.0
        original(self, params, model, **kwargs)

    add_params._cgc_video = True
    TSMOptimWrapperConstructor.add_params = add_params
    return True


def _after_import(module_name: str, fix: Callable[[], bool]) -> None:
    """Run ``fix`` once ``module_name`` is imported: now if it already is, else by a one-off import hook."""
    if module_name in sys.modules:
        fix()
    elif not any(isinstance(finder, _FixAfterImport) and finder.name == module_name for finder in sys.meta_path):
        sys.meta_path.insert(0, _FixAfterImport(module_name, fix))


class _FixAfterImport(importlib.abc.MetaPathFinder):
    """Finds one module as the other finders do, and runs a function behind its loader."""

    def __init__(self, name: str, fix: Callable[[], bool]) -> None:
        self.name, self.fix = name, fix

    def find_spec(self, fullname, path, target=None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module) -> None:
                execute(module)
                self.fix()

            spec.loader.exec_module = exec_module
        return spec
