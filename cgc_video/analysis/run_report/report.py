"""Gather what a work dir holds into the sections of a page."""

import csv
import html
from pathlib import Path

from ...engine.config import load_config
from ...engine.trained import TrainedModel, build_loader, load_trained
from ...errors import UserError
from ...evaluation.complexity import count_parameters
from ..gradcam.explain import last_feature_layer
from ..layers import find_layer
from ..run_curves import read_curves
from .mistakes import picture_of, worst_mistakes
from .page import Section, embed, embed_file, render, table

__all__ = ["find_run", "run_page"]


def find_run(work_dir: Path) -> tuple[Path, Path]:
    """The config and the checkpoint of a finished run: the best checkpoint, else the latest.

    Raises:
        UserError: If the folder holds no run.
    """
    configs = sorted(work_dir.glob("*.py"))
    checkpoints = sorted(work_dir.glob("best_*.pth"), key=lambda path: path.stat().st_mtime)
    latest = work_dir / "last_checkpoint"
    if not checkpoints and latest.is_file():
        # the run may have been moved: the name counts, not the folder
        checkpoints = [work_dir / Path(latest.read_text().strip()).name]
    if not configs or not checkpoints or not checkpoints[-1].is_file():
        raise UserError(
            f"{work_dir} holds no finished run (a config and a checkpoint); give the work dir of a training."
        )
    return configs[-1], checkpoints[-1]


def run_page(work_dir: Path, number: int = 12, layer: str | None = None, device: str = "cpu") -> str:
    """The page of a run as HTML.

    Args:
        work_dir: Where ``tools/train.py`` wrote.
        number: How many mistakes are shown.
        layer: Where Grad-CAM looks; by default the last stage.

    Raises:
        UserError: If the folder holds no run. Validation data that is not there is no error: the page says so.
    """
    config, checkpoint = find_run(work_dir)
    trained = load_trained(load_config(str(config)), str(checkpoint), device)
    if layer is not None:
        find_layer(trained.model, layer)  # before minutes are spent on the validation data
    sections = [_result(work_dir, trained, checkpoint), *_curves(work_dir), *_classes(work_dir), *_confusion(work_dir)]
    sections += [_mistakes(trained, number, layer), Section("Settings", _settings(config))]
    return render(f"{work_dir.resolve().name}", sections)


def _result(work_dir: Path, trained: TrainedModel, checkpoint: Path) -> Section:
    curves = read_curves(work_dir)
    backbone = trained.cfg.model.backbone
    facts = [
        ("checkpoint", checkpoint.name),
        ("model", f"{trained.cfg.model.type}, {backbone.type}, depth {backbone.get('depth', '?')}"),
        ("parameters", f"{count_parameters(trained.model):,}"),
        ("classes", str(len(trained.class_names))),
        ("epochs", str(max(epoch for curve in curves.values() for epoch in curve))),
    ]
    best = curves.get("val_top1")
    figure = ""
    if best:
        epoch = max(best, key=best.__getitem__)
        figure = f'<p><span class="big">{best[epoch]:.1%}</span> top-1 on the validation data, epoch {epoch}</p>'
    return Section("Result", figure + table(("", ""), facts))


def _curves(work_dir: Path) -> list[Section]:
    picture = work_dir / "curves.png"
    return [Section("Curves", embed_file(picture, "loss and accuracy over the epochs"))] if picture.is_file() else []


def _classes(work_dir: Path) -> list[Section]:
    found = _newest(work_dir, "per_class.csv")
    if found is None:
        return []
    with found.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["top1"]]
    rows.sort(key=lambda row: float(row["top1"]))
    cells = [
        (
            row["class"],
            row["clips"],
            f"{100 * float(row['top1']):.1f}",
            f"{row['confused_with']} ({row['confused_clips']})" if row["confused_with"] else "",
        )
        for row in rows
    ]
    body = table(("class", "samples", "top-1 (%)", "most confused with"), cells, numbers=(1, 2))
    return [Section("Classes, the worst first", f"<p>{html.escape(_measured_by(found.name))}</p>{body}")]


def _measured_by(name: str) -> str:
    """A test may score several views; its figures are then not those of the validation above."""
    return f"{name}: of the last {'test' if name.startswith('test') else 'validation'}"


def _confusion(work_dir: Path) -> list[Section]:
    found = _newest(work_dir, "confusion_matrix.png")
    return [] if found is None else [Section("Confusion matrix", embed_file(found, "true class by predicted class"))]


def _newest(work_dir: Path, name: str) -> Path | None:
    found = sorted((work_dir / "eval").glob(f"*{name}"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def _mistakes(trained: TrainedModel, number: int, layer: str | None) -> Section:
    title = "Most confidently wrong"
    try:
        loader = build_loader(trained.cfg, "val")
    except UserError as error:
        return Section(title, f"<p>Not shown: {html.escape(str(error))}</p>")
    mistakes = worst_mistakes(trained, loader, number)
    if not mistakes:
        return Section(title, f"<p>None: all {len(loader.dataset)} validation samples are right.</p>")
    layer = layer or last_feature_layer(trained.model)
    names = trained.class_names
    figures = []
    for found in mistakes:
        caption = f"{found.source}: {names[found.label]}, taken for {names[found.predicted]} ({found.probability:.0%})"
        picture = embed(picture_of(trained, loader, found, layer), caption)
        figures.append(f"<figure>{picture}<figcaption>{html.escape(caption)}</figcaption></figure>")
    return Section(title, "".join(figures))


def _settings(config: Path) -> str:
    text = html.escape(config.read_text(encoding="utf-8"))
    return f"<details><summary>{html.escape(config.name)}</summary><pre>{text}</pre></details>"
