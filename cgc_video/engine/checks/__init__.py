"""Start-up checks: what cannot work is refused in one sentence, before anything heavy is built."""

from mmengine.config import Config

from ...errors import UserError
from .checkpoint import check_checkpoint_file, check_resume, check_weights
from .data import check_data
from .machine import check_amp, check_backends
from .segments import check_segments
from .types import check_types
from .values import check_head, check_values

__all__ = [
    "check_amp",
    "check_backends",
    "check_before_test",
    "check_before_training",
    "check_checkpoint_file",
    "check_data",
    "check_resume",
    "check_segments",
    "check_head",
    "check_types",
    "check_values",
    "check_weights",
]


def check_before_training(cfg: Config) -> None:
    """Everything that can be known without building the model; raises ``UserError``."""
    _check_parts(cfg, "train", "train_dataloader", "train_cfg", "optim_wrapper")
    check_types(cfg)
    check_values(cfg)
    check_amp(cfg)
    check_backends(cfg)
    check_segments(cfg, ("train", "val"))
    if cfg.get("load_from"):
        check_checkpoint_file(cfg.load_from)
    check_data(cfg, ("train", "val"))


def check_before_test(cfg: Config) -> None:
    """As ``check_before_training``, for the test split and its checkpoint."""
    _check_parts(cfg, "test", "test_dataloader", "test_cfg", "test_evaluator")
    check_types(cfg)
    check_values(cfg)
    check_backends(cfg)
    check_segments(cfg, ("test",))
    check_checkpoint_file(cfg.load_from)
    check_data(cfg, ("test",))


def _check_parts(cfg: Config, what: str, *keys: str) -> None:
    for key in keys:
        if cfg.get(key) is None:
            raise UserError(f"the config has no {key}, which is needed to {what}; add it.")
