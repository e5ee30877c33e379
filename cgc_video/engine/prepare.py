"""What a run adds to a config: hooks, folders for reports, class names."""

import logging
from numbers import Number
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from ..datasets.labels import pad_class_names
from ..datasets.lists import CLASS_FILE, read_classes
from ..errors import UserError
from .checks.segments import sampled_frames
from .data_config import DatasetConfig, open_images, sample_unit, split_datasets

__all__ = [
    "add_hooks",
    "check_same_classes",
    "configure_reports",
    "has_classes",
    "name_classes",
    "plain_metrics",
    "segments_per_view",
]

_WRITERS = ("ClassReport", "BLEU")  # metrics with an out_dir


def add_hooks(cfg: Config, *names: str) -> None:
    """Add hooks by type, each unless the config has one of that type."""
    custom = list(cfg.get("custom_hooks") or [])
    present = {hook.get("type") for hook in [*custom, *(cfg.get("default_hooks") or {}).values()] if hook}
    cfg.custom_hooks = custom + [{"type": name} for name in names if name not in present]


def has_classes(cfg: Config) -> bool:
    """Whether a config's model tells classes apart: one without backbone and head, such as a translation model, does not."""
    return "model" not in cfg or any(cfg.model.get(part) is not None for part in ("backbone", "cls_head"))


def configure_reports(cfg: Config, split: str, table: bool) -> None:
    """Give each metric of a split that writes files its folder, ``<work_dir>/eval``; a test of classes gets a ``ClassReport``.

    Where a data set goes on over bad files (``skip_bad``, ``bad_counts_as_wrong``), the evaluator becomes one that states them.

    Raises:
        UserError: If a metric compares outputs with labels where labels do not number outputs (``class_map``), or the reverse.
    """
    evaluators = cfg.get(f"{split}_evaluator")
    if evaluators is None:
        return
    evaluators = list(evaluators) if isinstance(evaluators, list | tuple) else [evaluators]
    mapped = _check_mapped(cfg, split, [str(evaluator.get("type")) for evaluator in evaluators])
    reported = mapped or any(evaluator.get("type") == "ClassReport" for evaluator in evaluators)
    if split == "test" and has_classes(cfg) and not reported:
        evaluators.append({"type": "ClassReport"})
    for evaluator in evaluators:
        if evaluator.get("type") in _WRITERS:
            evaluator.setdefault("out_dir", str(Path(cfg.work_dir) / "eval"))
            evaluator.setdefault("file_prefix", f"{split}_")
        if evaluator.get("type") == "ClassReport":
            evaluator.setdefault("log_table", table)
            evaluator.setdefault("unit", sample_unit(cfg, split))
    goes_on = any(d.cfg.get("skip_bad") or d.cfg.get("bad_counts_as_wrong") for _, d in split_datasets(cfg, split))
    scored = {"type": "ScoredClips", "metrics": evaluators, "unit": sample_unit(cfg, split)}
    cfg[f"{split}_evaluator"] = scored if goes_on else evaluators


def _check_mapped(cfg: Config, split: str, metrics: list[str]) -> bool:
    """Whether the classes of a split's data are sets of outputs, which other metrics than ``MappedAccuracy`` would mistake."""
    opened = (open_images(cfg, dataset) for _, dataset in split_datasets(cfg, split) if dataset.kind == "images")
    mapped = any("class_map" in dataset.metainfo for dataset in opened)
    wrong = {"AccMetric", "ClassReport"} if mapped else {"MappedAccuracy"}
    if found := next((metric for metric in metrics if metric in wrong), None):
        way_out = "MappedAccuracy" if mapped else "AccMetric"
        raise UserError(
            f"{split}_evaluator holds {found}, which does not fit the labels of {split}_dataloader.dataset; use [dict(type={way_out!r})]."
        )
    return mapped


def name_classes(cfg: Config, split: str) -> list[str] | None:
    """Put the names of ``classes.txt``, beside a list, into the data set's ``metainfo``, and so into checkpoints.

    Returns:
        The names in label order, as far as known.
    Raises:
        UserError: If there are more of them than ``num_classes``.
    """
    names = None
    num_classes = (cfg.model.get("cls_head") or {}).get("num_classes")
    for way, dataset in split_datasets(cfg, split):
        if dataset.kind == "images":  # which find their names by themselves
            names = names or open_images(cfg, dataset).metainfo.get("classes")
            continue
        metainfo = dict(dataset.cfg.get("metainfo") or {})
        file = _class_file(dataset)
        if not metainfo.get("classes") and file is not None:
            metainfo["classes"] = read_classes(file)
            metainfo["classes"] = _one_name_per_class(metainfo["classes"], num_classes, f"{way}: {file}")
            dataset.cfg["metainfo"] = metainfo
        if isinstance(metainfo.get("classes"), list | tuple):
            names = names or list(metainfo["classes"])
    return names


def _one_name_per_class(names: list[str], num_classes: int | None, source: str) -> list[str]:
    """More names than outputs are an error; outputs without a name, as when a part of a data set is tried, get one."""
    surplus = (num_classes or len(names)) - len(names)
    if surplus < 0:
        raise UserError(
            f"{source} names {len(names)} classes, but model.cls_head.num_classes is {num_classes}; make them equal."
        )
    if surplus:
        print_log(
            f"{source} names {len(names)} classes, and the model tells {num_classes} apart: {surplus} of them have no name.",
            logger="current",
            level=logging.WARNING,
        )
    return pad_class_names(names, len(names) + surplus)


def _class_file(dataset: DatasetConfig) -> Path | None:
    """The class file that the data set names, or the one beside its list, if it is there."""
    if dataset.cfg.get("class_file"):
        return Path(dataset.cfg["class_file"])
    beside = Path(dataset.ann_path).parent / CLASS_FILE if dataset.ann_path else None
    return beside if beside is not None and beside.is_file() else None


def check_same_classes(train: list[str] | None, val: list[str] | None) -> None:
    """Labels must mean the same in training and validation, whose lists may lie in different folders."""
    if not train or not val or train == val:
        return
    label = next((i for i, (a, b) in enumerate(zip(train, val, strict=False)) if a != b), min(len(train), len(val)))
    names = [repr(each[label]) if label < len(each) else "none" for each in (train, val)]
    raise UserError(
        f"label {label} is {names[0]} in the training data and {names[1]} in the validation data; make both lists with the "
        "same class order."
    )


def segments_per_view(cfg: Config) -> int:
    """Frames per view of a 2D recognizer: the model's, else what the test pipeline samples."""
    for part in ("backbone", "cls_head"):
        if segments := (cfg.model.get(part) or {}).get("num_segments"):
            return int(segments)
    frames = [n for _, dataset in split_datasets(cfg, "test") for n in sampled_frames(dataset.cfg, views=False)]
    return frames[0] if frames else 1


def plain_metrics(metrics: dict[str, Any]) -> dict[str, float]:
    """Metrics as plain numbers; what is no number is left out."""
    scalars = {key: value.item() if getattr(value, "ndim", None) == 0 else value for key, value in metrics.items()}
    return {key: float(value) for key, value in scalars.items() if isinstance(value, Number)}
