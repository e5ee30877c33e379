"""What is about to run, in one block: model, weights, data, batch and learning rate, schedule, machine, versions."""

import subprocess
from collections import Counter
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import torch
from mmengine.model import is_model_wrapper
from torch import nn

from ..datasets.decoder_name import decoder_name
from .data_config import sample_unit

__all__ = [
    "effective_batch_size",
    "format_block",
    "gated_layers",
    "learning_rates",
    "testing_summary",
    "training_summary",
]


def training_summary(runner) -> str:
    """The start-up summary of a runner whose loops, optimizer and weights are in place."""
    workers = runner.train_dataloader.num_workers
    lines = [*_model_lines(runner), *_training_lines(runner), *_machine_lines(runner, workers)]
    return format_block("Start-up summary", lines)


def testing_summary(runner) -> str:
    """The same for a test, without what only training has."""
    loader, unit = runner.test_dataloader, sample_unit(runner.cfg, "test")
    data = f"{len(loader.dataset):,} test {unit}s{_classes(runner)}, {_per_batch(loader)} per batch{_decoder(loader)}"
    lines = [*_model_lines(runner), ("data", data), *_machine_lines(runner, loader.num_workers)]
    return format_block("Start-up summary", lines)


def format_block(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """A title between rules, then ``name  value`` rows in two columns; opens with a line break for the log."""
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    rule = "-" * 72
    return "\n".join(["", rule, title, rule, *(f"{name:<{width}}  {value}" for name, value in rows), rule])


def gated_layers(model: nn.Module) -> Counter:
    """How many layers of each gated type the model has; pointwise ones, which hold no gate, are not counted."""
    named = (m for m in model.modules() if type(m).__name__.startswith("CGC") and getattr(m, "gate", None) is not None)
    return Counter(type(m).__name__ for m in named)


def effective_batch_size(per_device: int, world_size: int, accumulative_counts: int) -> int:
    """Samples behind one step of the optimizer."""
    return per_device * world_size * accumulative_counts


def learning_rates(model: nn.Module, optimizer: torch.optim.Optimizer) -> str:
    """Parameters by learning rate, gates apart: ``0.01 (23.5 M), 0.001 (gates, 0.2 M)``.

    Schedulers change ``lr`` as soon as they are built, so the rate they start from goes first.
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    sizes: Counter = Counter()
    for group in optimizer.param_groups:
        rate = group.get("initial_lr", group["lr"])
        for parameter in group["params"]:
            sizes[rate, ".gate." in names.get(id(parameter), "")] += parameter.numel()
    ordered = sorted(sizes.items(), key=lambda item: -item[1])
    return ", ".join(f"{rate:g} ({'gates, ' if gate else ''}{size:,} parameters)" for (rate, gate), size in ordered)


def _model_lines(runner) -> list[tuple[str, str]]:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    cfg = runner.cfg.model
    backbone = cfg.get("backbone") or {}
    kind = " / ".join(str(_type(part)) for part in (cfg, backbone, cfg.get("cls_head") or {}) if _type(part))
    details = [f"{key} {backbone[key]}" for key in ("depth", "num_segments") if backbone.get(key) is not None]
    gated = ", ".join(f"{count} x {name}" for name, count in gated_layers(model).items())
    total = sum(p.numel() for p in model.parameters())
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return [
        ("model", kind + (f" ({', '.join(details)})" if details else "")),
        ("gated layers", gated or "none (plain baseline)"),
        ("parameters", f"{total:,}, of which {trainable:,} are trained"),
        ("weights", _weights(runner, backbone)),
    ]


def _per_batch(loader) -> str:
    """Samples of a batch; where they are counted in tokens, those."""
    size = loader.batch_size or getattr(loader.batch_sampler, "batch_size", None)
    tokens = getattr(loader.batch_sampler, "max_tokens", None)
    limits = ([f"{size}"] if size else []) + ([f"at most {tokens:,} tokens"] if tokens else [])
    return " and ".join(limits)


def _decoder(loader) -> str:
    pipeline = getattr(loader.dataset, "pipeline", None)
    name = "none" if pipeline is None else decoder_name(pipeline.transforms)
    return "" if name == "none" else f", decoded by {name}"


def _training_lines(runner) -> list[tuple[str, str]]:
    loader, cfg = runner.train_dataloader, runner.cfg
    wrapper = runner.optim_wrapper
    steps = getattr(wrapper, "_accumulative_counts", 1)
    per_device = loader.batch_size or getattr(loader.batch_sampler, "batch_size", None) or 0
    batch = effective_batch_size(per_device, runner.world_size, steps)
    factors = f"{_per_batch(loader)} per device x {runner.world_size} device(s) x {steps} step(s)"
    unit = sample_unit(cfg, "train")
    data = f"{len(loader.dataset):,} training {unit}s"
    if runner._val_loop is not None:
        data += f", {len(runner.val_dataloader.dataset):,} validation {unit}s"
    data += _classes(runner) + _decoder(loader)
    start = f", going on after epoch {runner.epoch}, iteration {runner.iter:,}" if runner.iter else ""
    start += "; nothing is left to train" if runner.iter >= runner.max_iters else ""
    return [
        ("data", data),
        ("batch size", f"{batch} = {factors}" if batch else factors),
        ("learning rate", learning_rates(runner.model, wrapper.optimizer)),
        ("lr scaling", _scaling(cfg.get("auto_scale_lr"), batch, runner.world_size * per_device)),
        ("schedule", f"{runner.max_epochs} epoch(s), {runner.max_iters:,} iterations{start}"),
        ("optimizer", f"{type(wrapper.optimizer).__name__} in {type(wrapper).__name__}"),
    ]


def _machine_lines(runner, workers: int) -> list[tuple[str, str]]:
    device = next(runner.model.parameters()).device
    name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    packages = {"cgc-video": "cgc_video", "torch": "torch", "mmengine": "mmengine", "mmaction2": "mmaction2"}
    versions = ", ".join(f"{shown} {v}" for dist, shown in packages.items() if (v := _version(dist)))
    return [
        ("device", f"{device}{name}, {torch.get_num_threads()} thread(s), {workers} data worker(s)"),
        ("seed", f"{runner.seed}{', deterministic' if runner.deterministic else ''}"),
        ("versions", versions + (f", commit {commit}" if (commit := _commit()) else "")),
        ("work dir", str(runner.work_dir)),
        ("log", str(Path(runner.log_dir) / f"{runner.timestamp}.log")),
    ]


def _classes(runner) -> str:
    count = (runner.cfg.model.get("cls_head") or {}).get("num_classes")
    return f", {count} classes" if count else ""


def _type(cfg) -> str | None:
    kind = cfg.get("type")
    return kind if isinstance(kind, str) or kind is None else kind.__name__


def _weights(runner, backbone) -> str:
    if runner.epoch or runner.iter:
        return f"resumed from {runner._load_from or 'the latest checkpoint in the work dir'}"
    if runner._resume:
        return "nothing to resume in the work dir: random initialisation unless a line below says otherwise"
    if runner._load_from:
        return f"load_from {runner._load_from}"
    init = backbone.get("init_cfg") or {}
    checkpoint = init.get("checkpoint") if isinstance(init, dict) else None
    if source := backbone.get("pretrained") or checkpoint:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if getattr(model.backbone, "pretrained_missed", False):
            return f"RANDOM initialisation: {source} could not be fetched (see the warning above)"
        return f"backbone from {source}"
    return "random initialisation (no checkpoint named)"


def _scaling(auto: dict | None, batch: int, scaled_by: int) -> str:
    if not auto or not auto.get("base_batch_size"):
        return "off; the config names no base batch size"
    base = auto["base_batch_size"]
    if auto.get("enable"):
        return f"on: multiplied by {scaled_by / base:g} = {scaled_by} / base batch size {base}"
    if batch == base:
        return f"off; the batch size is the base batch size {base}"
    return f"off; the rate is meant for a batch of {base}, this is {batch}: see --auto-scale-lr"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
