"""Find the data sets of a config and where their lists and media lie."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmaction.registry import DATASETS
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope

from ..datasets.images.base import Images
from .build_errors import plain_build_errors

__all__ = ["DatasetConfig", "dataset_type", "open_images", "sample_unit", "split_datasets"]

# How data set types store their media: MMAction2's, which types of this project extend, and the base of our image data sets.
_KINDS = {"VideoDataset": "video", "RawframeDataset": "rawframes", "Images": "images"}
_PREFIXES = {"rawframes": "img", "images": "img_path"}


@dataclass
class DatasetConfig:
    """One data set of a config, wrappers such as ``RepeatDataset`` taken off.

    Attributes:
        ann_path: The list file with ``data_root`` joined, or None where the type has none.
        media_dir: The folder that the names in the list are relative to; empty for the current one.
        kind: ``"video"``, ``"rawframes"`` or ``"images"``; None for a type whose list format is not ours to know.
    """

    cfg: ConfigDict
    ann_path: str | None
    media_dir: str
    kind: str | None


def split_datasets(cfg: Config, split: str) -> list[tuple[str, DatasetConfig]]:
    """``(where in the config, data set)`` for each data set behind ``<split>_dataloader``, if there is one."""
    loader = cfg.get(f"{split}_dataloader")
    if not isinstance(loader, dict) or not isinstance(loader.get("dataset"), dict):
        return []
    return [(way, _describe(leaf)) for way, leaf in _leaves(loader["dataset"], f"{split}_dataloader.dataset")]


def open_images(cfg: Config, dataset: DatasetConfig) -> Images:
    """Build a data set of images as far as its classes, without listing the files.

    Raises:
        UserError: If the files do not fit each other, or the type does not take the config's arguments.
    """
    # not that of a runner which this process had before
    with DefaultScope.overwrite_default_scope(cfg.get("default_scope")), plain_build_errors(cfg):
        return DATASETS.build({**dataset.cfg, "pipeline": [], "lazy_init": True})


def sample_unit(cfg: Config, split: str) -> str:
    """What reports call a sample of a split: ``unit`` of its data set's type, ``"clip"`` where that has none."""
    types = (dataset_type(dataset.cfg) for _, dataset in split_datasets(cfg, split))
    return next((kind.unit for kind in types if hasattr(kind, "unit")), "clip")


def dataset_type(dataset: dict) -> Any:
    """The class behind a data set's ``type``; None if there is none of the name."""
    kind = dataset.get("type")
    return DATASETS.get(kind) if isinstance(kind, str) else kind


def _leaves(dataset: dict, way: str) -> Iterator[tuple[str, dict]]:
    if isinstance(dataset.get("dataset"), dict):
        yield from _leaves(dataset["dataset"], f"{way}.dataset")
    elif isinstance(dataset.get("datasets"), list | tuple):
        for index, part in enumerate(dataset["datasets"]):
            yield from _leaves(part, f"{way}.datasets.{index}")
    else:
        yield way, dataset


def _describe(dataset: dict) -> DatasetConfig:
    root = dataset.get("data_root") or ""
    ann_file = dataset.get("ann_file") or None
    prefixes = dataset.get("data_prefix") or {}
    kind = _kind(dataset_type(dataset))
    prefix = prefixes.get(_PREFIXES.get(kind, "video")) or ""
    media_dir = os.path.join(root, prefix) if prefix else root
    return DatasetConfig(dataset, ann_file and os.path.join(root, ann_file), media_dir, kind)


def _kind(kind) -> str | None:
    for base in getattr(kind, "__mro__", ()):
        if base.__name__ in _KINDS:
            return _KINDS[base.__name__]
    return None
