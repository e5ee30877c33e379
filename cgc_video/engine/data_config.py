"""Find the data sets of a config and where their lists and media lie."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from mmengine.config import Config, ConfigDict

__all__ = ["DatasetConfig", "split_datasets"]

# How MMAction2's data set types store their media; the types of this project extend these.
_KINDS = {"VideoDataset": "video", "RawframeDataset": "rawframes"}


@dataclass
class DatasetConfig:
    """One data set of a config, wrappers such as ``RepeatDataset`` taken off.

    Attributes:
        ann_path: The list file with ``data_root`` joined, or None where the type has none.
        media_dir: The folder that the names in the list are relative to; empty for the current one.
        kind: ``"video"`` or ``"rawframes"``; None for a type whose list format is not ours to know.
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
    kind = _kind(dataset.get("type"))
    prefix = prefixes.get("img" if kind == "rawframes" else "video") or ""
    return DatasetConfig(dataset, ann_file and os.path.join(root, ann_file), os.path.join(root, prefix), kind)


def _kind(kind) -> str | None:
    if isinstance(kind, str):
        from mmaction.registry import DATASETS

        kind = DATASETS.get(kind)
    for base in getattr(kind, "__mro__", ()):
        if base.__name__ in _KINDS:
            return _KINDS[base.__name__]
    return None
