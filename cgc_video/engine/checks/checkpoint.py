"""A checkpoint must exist, be one, and be of the model it is given to."""

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.runner import find_latest_checkpoint
from mmengine.runner.checkpoint import _load_checkpoint
from torch import Tensor, nn

from ...datasets.labels import class_order, pad_class_names
from ...errors import UserError
from ...models.pretrained import EXTRA_PARTS
from ..hooks.class_order import trained_classes
from ..names import nearest

__all__ = [
    "Match",
    "check_checkpoint_file",
    "check_resume",
    "check_weights",
    "compare_state",
    "load_checkpoint",
    "weights_of",
]

# A fine-tuning start may lack the head and the gates, but not the backbone; design contract, weights.
_LEAST_MATCH = 0.9


@dataclass
class Match:
    """How the entries of a checkpoint fit those of a model."""

    matched: list[str]
    missing: list[str]
    unexpected: list[str]
    mismatched: list[str]

    @property
    def complete(self) -> bool:
        return not (self.missing or self.unexpected or self.mismatched)

    def __str__(self) -> str:
        parts = [f"{len(self.matched)} entries match"]
        for name in ("missing", "unexpected", "mismatched"):
            if entries := getattr(self, name):
                more = ", ..." if len(entries) > 3 else ""
                parts.append(f"{len(entries)} {name} ({', '.join(entries[:3])}{more})")
        return ", ".join(parts)


def compare_state(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> Match:
    """Compare names and shapes; counters of batch norm, which change no output, are left aside."""
    expected = {k: v for k, v in expected.items() if not k.endswith("num_batches_tracked")}
    given = {k: v for k, v in given.items() if not k.endswith("num_batches_tracked")}
    common = [key for key in expected if key in given]
    wrong = [key for key in common if expected[key].shape != given[key].shape]
    return Match(
        matched=[key for key in common if key not in set(wrong)],
        missing=[key for key in expected if key not in given],
        unexpected=[key for key in given if key not in expected],
        mismatched=[f"{key} {tuple(given[key].shape)} for {tuple(expected[key].shape)}" for key in wrong],
    )


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
            f"checkpoint ({path}) is of another model than this config builds: {match}; give the config it belongs to."
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
            f"{match}; give a checkpoint of this architecture{way_out}."
        )
    return checkpoint


def check_resume(model: nn.Module, path: str | None, work_dir: str, class_names: Sequence[str] | None = None) -> None:
    """A run can go on only from a checkpoint that holds the optimizer, and of the same model and classes.

    Args:
        path: The checkpoint, or None for the latest one in ``work_dir``, if there is one.
        class_names: As in ``check_weights``.
    """
    if path is None:
        path = find_latest_checkpoint(work_dir)
        if path is None:
            return
        if not os.path.isfile(path):
            raise UserError(f"the latest checkpoint of {work_dir} ({path}) is gone; name one with --resume CHECKPOINT.")
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
            f"--resume ({path}) is of another model than this config builds: {match}; give the config of its training."
        )
    _check_classes(trained_classes(checkpoint), class_names, f"--resume ({path})")


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


def load_checkpoint(path: str) -> Any:
    """What a file holds, loaded to the CPU; a ``UserError`` if it is no checkpoint."""
    try:
        return _load_checkpoint(path, map_location="cpu", logger="silent")
    except Exception as error:  # torch, pickle and zip each have their own way to refuse a file
        raise UserError(
            f"checkpoint ({path}) {_fault_of_file(path, error)}; give a .pth file as training writes it."
        ) from error


def _fault_of_file(path: str, error: Exception) -> str:
    """Why a file cannot be loaded. What torch says of it is pages long, and advises unsafe loading."""
    if not os.path.getsize(path):
        return "is empty"
    with open(path, "rb") as file:
        if file.read(2) != b"PK":
            return "is no checkpoint"
    if zipfile.is_zipfile(path):
        return f"cannot be read: {type(error).__name__}: {str(error).strip().splitlines()[0].split('. ')[0]}"
    return "is cut off or damaged"


def weights_of(checkpoint: Any, path: str) -> dict[str, Tensor]:
    """The weights in a loaded file, without the prefix that a parallel wrapper leaves."""
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
    if not isinstance(state, Mapping) or not any(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"checkpoint ({path}) holds no weights; give a .pth file as training writes it.")
    return {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, Tensor)}
