"""What each option of the tools changes in a config."""

import os
import sys

from mmengine.config import Config

from ..errors import UserError
from .output import check_writable
from .prepare import has_classes

__all__ = ["add_dump", "apply_train_options", "show_predictions"]


def apply_train_options(
    cfg: Config,
    resume: str | None = None,
    amp: bool = False,
    no_validate: bool = False,
    auto_scale_lr: bool = False,
    seed: int | None = None,
    diff_rank_seed: bool = False,
    deterministic: bool = False,
) -> None:
    """Apply the options of ``tools/train.py``, which are those of MMAction2's ``tools/train.py``.

    Args:
        resume: A checkpoint to go on from, or ``"auto"`` for the latest one in the work dir.
    """
    if no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if resume is not None:
        cfg.resume = True
        cfg.load_from = None if resume == "auto" else resume
    if amp:
        _use_amp(cfg)
    if auto_scale_lr:
        if not (cfg.get("auto_scale_lr") or {}).get("base_batch_size"):
            raise UserError("--auto-scale-lr needs auto_scale_lr.base_batch_size in the config; add it there.")
        cfg.auto_scale_lr.enable = True
    given = {"seed": seed} if seed is not None else {}
    given |= {"diff_rank_seed": True} if diff_rank_seed else {}
    given |= {"deterministic": True} if deterministic else {}
    # MMAction2 drops --seed where the config has a randomness of its own; here the command line goes first.
    cfg.randomness = {**dict(cfg.get("randomness") or {"seed": None}), **given}


def _use_amp(cfg: Config) -> None:
    wrapper = cfg.get("optim_wrapper") or {}
    kind = wrapper.get("type", "OptimWrapper")
    if kind not in ("OptimWrapper", "AmpOptimWrapper"):
        raise UserError(f"--amp replaces OptimWrapper, but optim_wrapper.type is {kind!r}; leave --amp away.")
    wrapper.type = "AmpOptimWrapper"
    wrapper.setdefault("loss_scale", "dynamic")


def add_dump(cfg: Config, path: str) -> None:
    """Write predictions and labels of a test to a pickle file, by MMEngine's ``DumpResults``."""
    if not path.endswith((".pkl", ".pickle")):
        raise UserError(f"--dump ({path}) must end in .pkl or .pickle; rename the file.")
    check_writable(path)
    evaluators = cfg.get("test_evaluator") or []
    evaluators = list(evaluators) if isinstance(evaluators, list | tuple) else [evaluators]
    cfg.test_evaluator = [*evaluators, {"type": "DumpResults", "out_file_path": path}]


def show_predictions(
    cfg: Config, show: bool = False, show_dir: str | None = None, interval: int = 1, wait_time: float = 2.0
) -> None:
    """Draw every ``interval``-th test clip with its prediction, in a window or to ``show_dir``."""
    if not show and show_dir is None:
        return
    if not has_classes(cfg):
        raise UserError(
            "--show and --show-dir draw clips and images with their class, and this model has no classes; leave them away."
        )
    if interval < 1:
        raise UserError(f"--interval ({interval}) must be at least 1; 1 draws every clip.")
    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    if show and sys.platform.startswith("linux") and not any(os.environ.get(name) for name in displays):
        raise UserError("--show needs a display, and this session has none; write pictures with --show-dir FOLDER.")
    if show_dir is not None:
        if os.path.exists(show_dir) and not os.path.isdir(show_dir):
            raise UserError(f"--show-dir ({show_dir}) is a file; name a folder.")
        check_writable(os.path.join(show_dir, "."))
    hook = {"type": "PredictionHook", "out_dir": show_dir, "show": show, "interval": interval, "wait_time": wait_time}
    cfg.custom_hooks = [*(cfg.get("custom_hooks") or []), hook]
