"""The paper's headline effect on the rendered data: who can tell an order of frames from its reverse?

TSN averages frames, so it cannot; TSN + CGC sees the order through its 3D context. Each run is one call of ``tools/train.py`` in a
work dir of its own; a study that was cut off goes on where it stopped.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from cgc_video.errors import UserError

__all__ = ["MODELS", "Run", "Summary", "plot", "run_study", "summarise", "to_markdown", "write_csv"]

# Name in the table and config, each baseline before its gated counterpart.
MODELS = {
    "TSN": "tsn_r18_mini",
    "TSN + CGC": "tsn_r18_cgc_mini",
    "TSM": "tsm_r18_mini",
    "TSM + CGC": "tsm_r18_cgc_mini",
    "P3D-A": "p3d_r18_mini",
    "P3D-A + CGC": "p3d_r18_cgc_mini",
}


@dataclass
class Run:
    """One training: top-1 of the last epoch on the validation clips (0..1), wall-clock seconds, parameters."""

    model: str
    seed: int
    top1: float
    parameters: int
    seconds: float


@dataclass
class Summary:
    """The runs of one model: mean and standard deviation of top-1 over the seeds, mean minutes of a run."""

    model: str
    runs: int
    top1_mean: float
    top1_std: float
    parameters: int
    minutes: float


def run_study(
    folder: str,
    seeds: Sequence[int],
    models: Sequence[str] = tuple(MODELS),
    options: Sequence[str] = (),
    jobs: int = 1,
    report: Callable[[str], None] = print,
) -> list[Run]:
    """Train every model with every seed, at most ``jobs`` at a time, and return the results; finished runs are not repeated.

    Args:
        folder: Work dirs go below it, with the results in ``runs.json``.
        options: ``--cfg-options`` for every run.
        jobs: Runs at a time; they share the machine's cores evenly.
        report: Gets one line per finished run.

    Raises:
        UserError: If a run fails; its log is named. What finished before stays.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    _keep_settings(root, options)
    tasks = [(model, seed) for seed in seeds for model in models]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    results: dict[tuple[str, int], Run] = {}

    def work(task: tuple[str, int]) -> None:
        run = _run(root, *task, options, threads)
        results[task] = run
        report(
            f"[{len(results)}/{len(tasks)}] {run.model}, seed {run.seed}: top-1 {run.top1:.1%} in {run.seconds / 60:.1f} min"
        )

    with ThreadPoolExecutor(jobs) as pool:
        for future in [pool.submit(work, task) for task in tasks]:
            try:
                future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True, wait=False)
                raise
    runs = [results[task] for task in tasks]
    (root / "runs.json").write_text(json.dumps([asdict(run) for run in runs], indent=2) + "\n")
    return runs


def summarise(runs: Sequence[Run]) -> list[Summary]:
    """Mean and spread per model, in the order in which the models appear."""
    summaries = []
    for model in dict.fromkeys(run.model for run in runs):
        own = [run for run in runs if run.model == model]
        top1 = [run.top1 for run in own]
        spread = statistics.stdev(top1) if len(top1) > 1 else 0.0
        minutes = statistics.mean(run.seconds for run in own) / 60
        summaries.append(Summary(model, len(own), statistics.mean(top1), spread, own[0].parameters, minutes))
    return summaries


def to_markdown(summaries: Sequence[Summary]) -> str:
    """The table of the README."""
    lines = ["| model | top-1 (%) | runs | parameters | minutes per run |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {s.model} | {100 * s.top1_mean:.1f} ± {100 * s.top1_std:.1f} | {s.runs} | {s.parameters / 1e6:.2f} M | {s.minutes:.1f} |"
        for s in summaries
    ]
    return "\n".join(lines) + "\n"


def write_csv(summaries: Sequence[Summary], path: Path) -> None:
    """One row per model, the columns of :class:`Summary`."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(asdict(summaries[0])))
        writer.writeheader()
        writer.writerows(asdict(summary) for summary in summaries)


def plot(runs: Sequence[Run], path: Path) -> None:
    """Bars of the means, dots of the runs, and the line that averaging frames cannot pass."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    summaries = summarise(runs)
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    colors = ["#d95f02" if "CGC" in s.model else "#7f7f7f" for s in summaries]
    axes.bar(range(len(summaries)), [100 * s.top1_mean for s in summaries], color=colors, width=0.65)
    for index, summary in enumerate(summaries):
        dots = [100 * run.top1 for run in runs if run.model == summary.model]
        axes.plot([index] * len(dots), dots, "k.", markersize=5)
        axes.text(index, 2, f"{100 * summary.top1_mean:.1f}", ha="center", color="white", fontweight="bold")
    axes.axhline(50, color="black", linewidth=0.8, linestyle="--", label="no order: one in two")
    axes.set_xticks(range(len(summaries)), [s.model for s in summaries])
    axes.set(
        ylim=(0, 103), ylabel="top-1 (%)", title="Classes that differ in temporal order alone (R18, rendered clips)"
    )
    figure.legend(loc="outside lower center")
    figure.savefig(path, dpi=150)


def _keep_settings(root: Path, options: Sequence[str]) -> None:
    """Results of other settings must not end up in one table."""
    path, settings = root / "settings.json", {"options": list(options)}
    if path.is_file() and json.loads(path.read_text()) != settings:
        raise UserError(
            f"{root} holds a study with other settings ({path.read_text().strip()}); name another folder with --work-dir."
        )
    path.write_text(json.dumps(settings) + "\n")


def _run(root: Path, model: str, seed: int, options: Sequence[str], threads: int) -> Run:
    work_dir = root / f"{MODELS[model]}_seed{seed}"
    done = work_dir / "run.json"
    if done.is_file():
        return Run(**json.loads(done.read_text()))
    work_dir.mkdir(parents=True, exist_ok=True)
    spent = work_dir / "seconds_before.txt"  # of an earlier try that was cut off
    before = float(spent.read_text()) if spent.is_file() else 0.0
    repository = Path(__file__).resolve().parents[2]
    command = [
        sys.executable,
        str(repository / "tools" / "train.py"),
        str(repository / "configs" / f"{MODELS[model]}.py"),
    ]
    command += ["--work-dir", str(work_dir), "--seed", str(seed), "--resume"]
    command += ["--cfg-options", *options] if options else []
    log = work_dir / "output.txt"
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    started = time.monotonic()
    with log.open("a") as output:
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False).returncode
    seconds = before + time.monotonic() - started
    spent.write_text(f"{seconds:.1f}\n")
    if code != 0:
        last = next((line for line in reversed(log.read_text().splitlines()) if line.strip()), "")
        raise UserError(
            f"{model} with seed {seed} failed ({last}); see {log}, then run the study again: it goes on from here."
        )
    run = Run(model, seed, _last_top1(work_dir), _count_parameters(work_dir), seconds)
    done.write_text(json.dumps(asdict(run)) + "\n")
    return run


def _last_top1(work_dir: Path) -> float:
    """Validation top-1 of the last epoch, from MMEngine's local records."""
    values = []
    for path in sorted(work_dir.glob("*/vis_data/*.json")):
        rows = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
        values += [row["acc/top1"] for row in rows if "acc/top1" in row]
    if not values:
        raise UserError(f"{work_dir} holds no validation accuracy; remove the folder and run the study again.")
    return values[-1]


def _count_parameters(work_dir: Path) -> int:
    from ..models.checkpoints import read_checkpoint

    checkpoint = (work_dir / "last_checkpoint").read_text().strip()
    state = read_checkpoint(checkpoint)["state_dict"]
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    return sum(value.numel() for key, value in state.items() if not key.endswith(buffers))
