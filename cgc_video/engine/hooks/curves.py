"""Loss and accuracy over the epochs, as a table and a picture in the work dir."""

import csv
import io
import math
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook

from ...models.checkpoints import write_text
from ..curves import draw_curves

__all__ = ["CurvesHook"]

# column in curves.csv -> key in the outputs of a training step, or in the metrics of a validation
_TRAIN = {"loss": "loss", "train_top1": "top1_acc"}
_VAL = {"val_top1": "acc/top1", "val_top5": "acc/top5", "val_mean1": "acc/mean1"}
_VAL |= {"val_tags": "tagging/accuracy", "val_bleu": "translation/bleu"}
COLUMNS = ["epoch", "lr", *_TRAIN, *_VAL]


@HOOKS.register_module()
class CurvesHook(Hook):
    """Keeps one row per epoch in ``curves.csv`` and draws ``curves.png`` after each validation and at the end.

    A row holds means over the iterations of an epoch, and the learning rate of the first group at its start. A resumed
    run keeps the rows of the epochs before it, and the sums of an epoch that it goes on with.
    """

    priority = "LOW"

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, float]] = {}
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._lr = 0.0
        self._kept: dict[str, Any] | None = None

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        if self._counts and "optimizer" in checkpoint:  # inside an epoch, and to go on from
            sums = {column: float(total) for column, total in self._sums.items()}
            checkpoint["curves"] = {"sums": sums, "counts": dict(self._counts), "lr": self._lr}

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        self._kept = checkpoint.get("curves") if runner._resume else None

    @master_only
    def before_train(self, runner) -> None:
        self.folder = Path(runner.work_dir)
        self.rows = {}
        if runner.epoch or runner.iter:
            self.rows = {epoch: row for epoch, row in self._read().items() if epoch <= runner.epoch}

    def before_train_epoch(self, runner) -> None:
        self._sums, self._counts = {}, {}
        self._lr = float(runner.optim_wrapper.get_lr()["lr"][0])
        if self._kept is not None:
            self._sums, self._counts, self._lr = self._kept["sums"], self._kept["counts"], self._kept["lr"]
            self._kept = None

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None) -> None:
        for column, key in _TRAIN.items():
            value = (outputs or {}).get(key)
            if value is not None:
                # a tensor is added where it lies, so that a GPU is not made to wait here
                value = value.detach().mean() if isinstance(value, torch.Tensor) else value
                self._sums[column] = self._sums.get(column, 0.0) + value
                self._counts[column] = self._counts.get(column, 0) + 1

    @master_only
    def after_train_epoch(self, runner) -> None:
        row = self.rows.setdefault(runner.epoch + 1, {})
        row |= {column: float(total) / self._counts[column] for column, total in self._sums.items()}
        row["lr"] = self._lr
        self._sums, self._counts = {}, {}
        self._write()

    @master_only
    def after_val_epoch(self, runner, metrics: dict[str, Any] | None = None) -> None:
        if not self.rows or not metrics:  # a validation without training has no curve
            return
        row = self.rows[max(self.rows)]
        row |= {column: float(metrics[key]) for column, key in _VAL.items() if key in metrics}
        self._write()
        draw_curves(self.rows, self.folder / "curves.png")

    @master_only
    def after_train(self, runner) -> None:
        if self.rows:
            draw_curves(self.rows, self.folder / "curves.png")
            runner.logger.info(f"Curves: {self.folder / 'curves.png'} and curves.csv beside it.")

    def _read(self) -> dict[int, dict[str, float]]:
        file = self.folder / "curves.csv"
        if not file.is_file():
            return {}
        with file.open(newline="") as lines:
            table = list(csv.DictReader(lines))
        return {int(r["epoch"]): {k: float(v) for k, v in r.items() if k != "epoch" and v} for r in table}

    def _write(self) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for epoch, row in sorted(self.rows.items()):
            finite = {k: f"{v:.6g}" for k, v in row.items() if math.isfinite(v)}
            writer.writerow({"epoch": epoch, **finite})
        write_text(text.getvalue(), self.folder / "curves.csv")
