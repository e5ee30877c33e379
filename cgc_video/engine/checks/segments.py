"""``num_segments`` against the frames that the pipelines sample."""

from collections.abc import Iterable
from typing import Any

from mmengine.config import Config

from ...errors import UserError
from ..data_config import split_datasets

__all__ = ["check_segments", "sampled_frames"]


def sampled_frames(dataset: dict, views: bool = True) -> list[int]:
    """Frames that each sampling step of a data set's pipeline takes per crop.

    A sampling step is a transform with ``num_clips`` or ``clip_len`` whose name holds "Sample".

    Args:
        views: Count both clips of ``twice_sample``.
    """
    counts = []
    for step in dataset.get("pipeline") or []:
        if isinstance(step, dict) and _samples(step):
            repeats = 2 if views and step.get("twice_sample") else 1
            counts.append(int(step.get("clip_len") or 1) * int(step.get("num_clips") or 1) * repeats)
    return counts


def check_segments(cfg: Config, splits: Iterable[str]) -> None:
    """A 2D recognizer folds frames into the batch and takes them apart by ``num_segments``, which must divide them.

    In training the two must be equal, because a clip has one label.
    """
    if "Recognizer2D" not in str(cfg.model.get("type")):
        return
    for part in ("backbone", "cls_head"):
        segments = (cfg.model.get(part) or {}).get("num_segments")
        if not isinstance(segments, int):
            continue
        if segments < 1:
            raise UserError(f"model.{part}.num_segments ({segments}) must be at least 1; set it in the config.")
        for split in splits:
            for way, dataset in split_datasets(cfg, split):
                for frames in sampled_frames(dataset.cfg):
                    _compare(f"model.{part}.num_segments", segments, frames, way, exact=split == "train")


def _compare(name: str, segments: int, frames: int, way: str, exact: bool) -> None:
    if exact and frames != segments:
        raise UserError(
            f"{name} ({segments}) must equal the {frames} frames that {way}.pipeline samples (num_clips x clip_len); "
            "set both to the same number."
        )
    if frames % segments:
        raise UserError(
            f"{name} ({segments}) must divide the {frames} frames that {way}.pipeline samples (num_clips x clip_len); "
            "set both to matching numbers."
        )


def _samples(step: dict[str, Any]) -> bool:
    kind = step.get("type")
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    return "Sample" in name and ("num_clips" in step or "clip_len" in step)
