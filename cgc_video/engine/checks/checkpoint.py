"""A checkpoint must exist, be one, and be of the model it is given to."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper
from mmengine.runner.checkpoint import _load_checkpoint
from torch import Tensor, nn

from ...datasets.labels import class_order, pad_class_names
from ...errors import UserError
from ...models.checkpoints import Match, compare_state, weights_of
from ...models.pretrained import EXTRA_PARTS
from .. import mmengine_files  # noqa: F401  MMEngine's loading is safe from here on
from ..hooks.class_order import trained_classes
from ..names import nearest
from ..resumption import last_good_checkpoint

__all__ = ["check_checkpoint_file", "check_resume", "check_weights", "load_checkpoint"]

# A fine-tuning start may lack the head and the gates, but not the backbone; design contract, weights.
_LEAST_MATCH = 0.9


def check_checkpoint_file(path: str) -> None:
    """A local checkpoint must exist; URLs are left to the loader."""
    if _is_remote(path) or os.path.isfile(path):
        return
    if os.path.isdir(path):
        raise UserError(f"checkpoint ({path}) is a folder; name one of its .pth files.")
    folder = Path(path).parent
    found = nearest(Path(path).name, [p.name for p in folder.glob("*.pth")]) if folder.is_dir() else None
    hint = f"did you mean {folder / found}?" if found else "train first, or give the path of a .pth file."
    raise UserError(f"checkpoint ({path}) does not exist; {hint}")


def check_weights(model: nn.Module, path: str, complete: bool, class_names: Sequence[str] | None = None) -> Any:
    """Refuse a checkpoint of another model.

    Args:
        complete: Every entry must match (a test). Otherwise (a start for training) nine tenths of the backbone must (of the
            model, if it has none), gates and other additions left aside, since a plain checkpoint may start a network that
            has them.
        class_names: Names of the data in label order. A checkpoint of the same classes in another order is fine, as
            ``ClassOrderHook`` permutes it; one of other classes is refused, unless a training starts with a classifier
            of another size.
    Returns:
        What the file holds.
    """
    checkpoint = load_checkpoint(path)
    given = _own_names(model, weights_of(checkpoint, path))
    match = compare_state(_own_state(model), given)
    if complete and not match.complete:
        raise UserError(
            f"checkpoint ({path}) is of another model than this config builds: {_described(match)}; give the config it belongs to."
        )
    if complete or _same_part(model, given, "cls_head."):
        _check_classes(trained_classes(checkpoint), class_names, f"checkpoint ({path})")
    if complete:
        return checkpoint
    own = _own_state(model)
    part = "backbone." if any(key.startswith("backbone.") for key in own) else ""
    backbone = {k: v for k, v in own.items() if k.startswith(part) and not EXTRA_PARTS.search(k)}
    match = compare_state(backbone, {k: v for k, v in given.items() if k.startswith(part)})
    total = len(match.matched) + len(match.missing) + len(match.mismatched)
    if len(match.matched) < _LEAST_MATCH * total:
        way_out = ", or set model.backbone.pretrained to start from one of another code base" if part else ""
        raise UserError(
            f"load_from ({path}) fits only {len(match.matched)} of {total} entries of the {'backbone' if part else 'model'}: "
            f"{_described(match)}; give a checkpoint of this architecture{way_out}."
        )
    return checkpoint


def check_resume(
    model: nn.Module, path: str | None, work_dir: str, class_names: Sequence[str] | None = None
) -> str | None:
    """A run can go on only from a checkpoint that holds the optimizer, and of the same model and classes.

    Args:
        path: The checkpoint, or None for the last good one in ``work_dir``, if there is one.
        class_names: As in ``check_weights``.
    Returns:
        The checkpoint to go on from; None if there is none yet.
    """
    path = path or last_good_checkpoint(work_dir)
    if path is None:
        return None
    checkpoint = load_checkpoint(path)
    state = weights_of(checkpoint, path)
    meta = checkpoint.get("meta") or {}
    if "optimizer" not in checkpoint or "epoch" not in meta or "iter" not in meta:
        raise UserError(
            f"--resume ({path}): this file holds weights only: use load_from (--cfg-options load_from={path}) to start "
            "a new training from them."
        )
    match = compare_state(_own_state(model), state)
    if not match.complete:
        raise UserError(
            f"--resume ({path}) is of another model than this config builds: {_described(match)}; give the config of its training."
        )
    _check_classes(trained_classes(checkpoint), class_names, f"--resume ({path})")
    return path


def _check_classes(trained: Sequence[str] | None, class_names: Sequence[str] | None, source: str) -> None:
    """Code bases number the classes of one data set differently: equal shapes do not mean equal labels, names do."""
    if not trained or not class_names:
        return
    try:
        class_order(pad_class_names(trained, len(class_names)), class_names)
    except UserError as error:
        raise UserError(
            f"{source} was trained on other classes: {error}; use the data that it was trained on, or start a new training "
            "from its backbone with model.backbone.pretrained=<checkpoint>."
        ) from error


def _same_part(model: nn.Module, given: Mapping[str, Tensor], prefix: str) -> bool:
    """Whether a checkpoint holds a part of the model, and in the same shapes."""
    part = {key: value for key, value in _own_state(model).items() if key.startswith(prefix)}
    return bool(part) and compare_state(part, {key: given[key] for key in part if key in given}).complete


def _own_state(model: nn.Module) -> dict[str, Tensor]:
    return (model.module if is_model_wrapper(model) else model).state_dict()


def _own_names(model: nn.Module, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights under the model's names: an ``ImageClassifier`` takes those of torchvision, too."""
    rename = getattr(model.module if is_model_wrapper(model) else model, "own_names", None)
    return given if rename is None else rename(given)


def _is_remote(path: str) -> bool:
    return "://" in path


def _described(match: Match) -> str:
    """What differs; where not all keys fit into a sentence, the run's log has the others."""
    logger = MMLogger.get_current_instance()
    file = next((h.baseFilename for h in logger.handlers if isinstance(h, logging.FileHandler)), None)
    if file is None or not match.abridged:
        return str(match)
    logger.info(f"Keys that differ between checkpoint and model:\n{match.listing()}")
    return f"{match} (all of them stand in {file})"


def load_checkpoint(path: str) -> Any:
    """What a file or URL holds, loaded to the CPU by MMEngine's schemes, which ``mmengine_files`` makes safe.

    Raises:
        UserError: If it is damaged, no checkpoint, or holds types that could run code.
    """
    return _load_checkpoint(path, map_location="cpu", logger="silent")
