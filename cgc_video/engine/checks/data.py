"""The lists and media that a config names must be there, and their labels must fit the model."""

import os
from collections.abc import Iterable

from mmengine.config import Config

from ...datasets.lists import KINDS, read_list
from ...errors import UserError
from ..data_config import DatasetConfig, dataset_type, open_images, split_datasets

__all__ = ["check_data"]

# How many entries of a list are looked up on disk; a list of another copy of the data misses all of them.
_PROBED = 20


def check_data(cfg: Config, splits: Iterable[str]) -> None:
    """Check each data set of the splits: list, folder, labels, and a few of the files.

    A config may hold ``data_help = dict(prepare="command that makes the data", mini="config that runs now")``, and ``get="what to put
    there, and where it is from"`` for data that is used as it is shipped.
    """
    num_classes = (cfg.model.get("cls_head") or {}).get("num_classes")
    seen = set()
    for split in splits:
        for way, dataset in split_datasets(cfg, split):
            if (dataset.ann_path, dataset.media_dir) not in seen:
                seen.add((dataset.ann_path, dataset.media_dir))
                _check_dataset(cfg, dataset, way, num_classes)
                if dataset.kind == "images":
                    open_images(cfg, dataset).check_files(num_classes)
            _check_files(cfg, dataset, way)


def _check_dataset(cfg: Config, dataset: DatasetConfig, way: str, num_classes: int | None) -> None:
    if dataset.ann_path is not None and not os.path.isfile(dataset.ann_path):
        raise UserError(
            f"{way}.ann_file ({dataset.ann_path}) {_lack(dataset.ann_path, 'file')}; {_help(cfg, dataset.ann_path)}"
        )
    if dataset.media_dir and not os.path.isdir(dataset.media_dir):
        raise UserError(
            f"{way}: the data folder ({dataset.media_dir}) {_lack(dataset.media_dir, 'folder')}; {_help(cfg, dataset.media_dir)}"
        )
    if dataset.kind == "images":
        return
    plain = not (dataset.cfg.get("multi_class") or dataset.cfg.get("with_offset") or dataset.cfg.get("delimiter"))
    if dataset.kind is None or dataset.ann_path is None or not plain:
        return
    entries = read_list(dataset.ann_path, dataset.kind, num_classes)
    key = KINDS[dataset.kind][0]
    probed = [os.path.join(dataset.media_dir, entry[key]) for entry in entries[:_PROBED]]
    if not any(os.path.exists(path) for path in probed):
        raise UserError(
            f"{way}: none of the first {len(probed)} entries of {dataset.ann_path} exists, the first being {probed[0]}"
            "; correct data_prefix or the list."
        )


def _check_files(cfg: Config, dataset: DatasetConfig, way: str) -> None:
    """The files that a type names under its ``file_keys`` must be there."""
    for key in getattr(dataset_type(dataset.cfg), "file_keys", ()):
        path = os.path.join(dataset.cfg.get("data_root") or "", dataset.cfg.get(key) or "")
        if dataset.cfg.get(key) and not os.path.isfile(path):
            raise UserError(f"{way}.{key} ({path}) {_lack(path, 'file')}; {_help(cfg, path)}")


def _lack(path: str, wanted: str) -> str:
    """Why a path is not the file or folder that is wanted."""
    return f"is no {wanted}" if os.path.exists(path) else "does not exist"


def _help(cfg: Config, path: str) -> str:
    """What to do about a path. Hints are for the data that they came with: a path elsewhere is of a config that inherits them."""
    root = cfg.get("data_root")
    inherited = isinstance(root, str) and not os.path.normpath(path).startswith(os.path.normpath(root))
    hints = {} if inherited else cfg.get("data_help") or {}
    parts = []
    if hints.get("prepare"):
        parts.append(f"prepare the data with `{hints['prepare']}`")
    if hints.get("get"):
        parts.append(hints["get"])
    if hints.get("mini"):
        parts.append(f"or run `python tools/train.py {hints['mini']}`, whose data needs no download")
    advice = ", ".join(parts) if parts else "correct the path in the config or with --cfg-options"
    return f"{advice}." if os.path.isabs(path) else f"{advice} (relative paths start at {os.getcwd()})."
