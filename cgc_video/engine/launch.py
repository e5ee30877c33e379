"""Train or test a loaded config: checks first, then MMEngine's runner with this project's hooks."""

import json
import logging
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..datasets.decoder_name import decoder_name
from .build_errors import plain_build_errors
from .checks import check_before_test, check_before_training, check_head, check_resume, check_weights
from .data_config import sample_unit
from .hooks import TestStatsHook
from .prepare import add_hooks, check_same_classes, configure_reports, name_classes, plain_metrics, segments_per_view
from .resumable import resumable
from .runner import VideoRunner

__all__ = ["TestResult", "test", "train"]


@dataclass
class TestResult:
    """What a test found.

    Attributes:
        metrics: What the evaluators returned, such as ``acc/top1`` in 0..1.
        views: Views (clips x crops) per clip whose scores were averaged.
        files: Tables and pictures that were written.
        decoder: What decoded the clips; ``"none"`` where nothing is decoded.
        unit: What a sample is: ``"clip"``, ``"image"`` or ``"sentence"``.
        skipped: Files that could not be decoded and were left out, where the data set has ``skip_bad``; ``clips`` counts the others.
    """

    __test__ = False  # the name looks like a test class to pytest

    metrics: dict[str, Any]
    clips: int
    views: int
    seconds: float
    work_dir: str
    files: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    decoder: str = ""
    unit: str = "clip"


def train(cfg: Config) -> Runner:
    """Train by a config whose ``work_dir`` is set; returns the runner when done.

    Raises:
        UserError: If a check finds what cannot work; nothing heavy is built before that.
    """
    check_before_training(cfg)
    class_names = name_classes(cfg, "train")
    check_same_classes(class_names, name_classes(cfg, "val"))
    add_hooks(
        cfg, "ClassOrderHook", "CurvesHook", "DataTimeHook", "MeanLossesHook", "ProgressHook", "StartupSummaryHook"
    )
    configure_reports(cfg, "val", table=False)
    with _running(cfg, resumable(cfg)) as runner:
        if cfg.get("resume"):
            runner._load_from = check_resume(runner.model, cfg.get("load_from"), cfg.work_dir, class_names)
        elif cfg.get("load_from"):
            check_weights(runner.model, cfg.load_from, complete=False, class_names=class_names)
        runner.train()
    return runner


def test(cfg: Config, checkpoint: str) -> TestResult:
    """Test a checkpoint by a config whose ``work_dir`` is set; the metrics go to ``work_dir/eval/metrics.json``."""
    cfg.load_from, cfg.resume = checkpoint, False
    check_before_test(cfg)
    class_names = name_classes(cfg, "test")
    add_hooks(cfg, "ClassOrderHook", "ProgressHook", "StartupSummaryHook")
    configure_reports(cfg, "test", table=True)
    num_segments = segments_per_view(cfg)
    for hook in cfg.custom_hooks:
        if hook.get("type") == "PredictionHook":
            hook.num_segments = num_segments
    # nothing of training is built for a test
    cfg.train_cfg = cfg.train_dataloader = cfg.optim_wrapper = cfg.param_scheduler = None
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    with _running(cfg, cfg) as runner:
        check_weights(runner.model, checkpoint, complete=True, class_names=class_names)
        stats = TestStatsHook(num_segments=num_segments)
        runner.register_hook(stats)
        metrics = runner.test()
        skipped = list(getattr(runner.test_loop.evaluator, "skipped", ()))
        pipeline = getattr(runner.test_dataloader.dataset, "pipeline", None)
        decoder = "none" if pipeline is None else decoder_name(pipeline.transforms)
    folder = Path(runner.work_dir) / "eval"
    clips = stats.clips - len(skipped)
    result = TestResult(
        plain_metrics(metrics),
        clips,
        stats.views,
        stats.seconds,
        runner.work_dir,
        skipped=skipped,
        decoder=decoder,
        unit=sample_unit(cfg, "test"),
    )
    if is_main_process():
        _save_metrics(result, folder / "metrics.json", checkpoint, cfg)
        result.files = sorted(str(p) for p in folder.iterdir() if p.name.startswith(("test_", "metrics")))
    return result


@contextmanager
def _running(cfg: Config, built: Config):
    """Build the runner; afterwards give the log file back.

    Args:
        cfg: The config as the user has it, for messages.
        built: What is made of it.
    """
    # MMEngine keeps loggers and scopes by name for the life of a process: each run gets a name of its own.
    name = cfg.get("experiment_name") or (Path(cfg.filename).stem if cfg.filename else "run")
    built.experiment_name = f"{name}_{uuid.uuid4().hex[:6]}"
    runner = None
    try:
        with plain_build_errors(cfg):
            if "runner_type" in cfg:
                from mmaction.registry import RUNNERS

                runner = RUNNERS.build(built)
            else:
                runner = VideoRunner.from_cfg(built)
            check_head(runner.model)
            yield runner
    finally:
        # the logger stays the current one of this process: what logs next must not find a closed file
        for handler in list(runner.logger.handlers) if runner is not None else ():
            if isinstance(handler, logging.FileHandler):
                runner.logger.removeHandler(handler)
                handler.close()


def _save_metrics(result: TestResult, path: Path, checkpoint: str, cfg: Config) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"config": Path(cfg.filename).name if cfg.filename else None, "checkpoint": str(checkpoint)}
    record |= {"clips": result.clips, "views_per_clip": result.views, "seconds": round(result.seconds, 3)}
    record["decoder"] = result.decoder
    if result.skipped:
        record["skipped"] = result.skipped
    path.write_text(json.dumps({**record, "metrics": result.metrics}, indent=2) + "\n")
