"""Rows, settings and environment as they are printed and written."""

import csv
import re

import pytest
import torch

from cgc_video.benchmark import environment
from cgc_video.benchmark.layer_cases import LayerCase
from cgc_video.benchmark.plots import plot_ratios
from cgc_video.benchmark.report import to_markdown, to_text, write_report
from cgc_video.benchmark.run import Row, passes
from cgc_video.benchmark.settings import Settings
from cgc_video.benchmark.totals import with_totals
from cgc_video.errors import UserError
from cgc_video.testing import GatedConvCase

ROWS = [
    Row("a", "8 x 3", "training", "plain", 100.0, 90.0, 95.0, 110.0, 1.0, None, 50.0, 2.0, 1.0),
    Row("a", "8 x 3", "training", "unfold", None, note="not run: needs 30.0 GiB at least, 20.0 GiB are free"),
    Row("a", "8 x 3", "training", "ours", 120.0, 110.0, 115.0, 130.0, 1.2, None, 52.0, 2.0, 1.04),
]


def test_text_and_markdown():
    text = to_text(ROWS)
    assert "a     training  ours" in text
    assert "115.0 to 130.0" in text
    assert "GFLOP/s" not in text
    assert "not run: needs 30.0 GiB" in text
    markdown = to_markdown(ROWS, {"commit": "abc"})
    assert "| `a` | training, ms | 100.0 | - | 120.0 (1.20) |" in markdown
    assert "| `a` | training, peak MiB | 50 | - | 52 (1.04) |" in markdown
    assert "a, training, unfold: not run" in markdown
    assert "- commit: abc" in markdown


def test_files(tmp_path):
    paths = write_report(ROWS, {"commit": "abc", "threads": "2"}, tmp_path / "new", "model")
    assert [path.name for path in paths] == ["model.csv", "model.md"]
    lines = paths[0].read_text().splitlines()
    assert lines[:2] == ["# commit: abc", "# threads: 2"]
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert [row["formulation"] for row in rows] == ["plain", "unfold", "ours"]
    assert (rows[2]["time_ratio"], rows[2]["memory_ratio"], rows[1]["median_ms"]) == ("1.2", "1.04", "")
    plot_ratios(ROWS, {"device": "a CPU"}, tmp_path / "model.png")
    assert (tmp_path / "model.png").read_bytes().startswith(b"\x89PNG")


def test_totals_count_each_layer_as_often_as_it_occurs():
    layers = [LayerCase(GatedConvCase("a"), count=3), LayerCase(GatedConvCase("b"), count=1)]
    rows = [
        Row(name, "", "inference", formulation, median_ms=milliseconds)
        for name, times in (("a", (1.0, 2.0)), ("b", (5.0, 6.0)))
        for formulation, milliseconds in zip(("plain", "ours"), times, strict=True)
    ]
    plain, ours = with_totals(rows, layers)[4:]
    assert (plain.median_ms, ours.median_ms, ours.time_ratio) == (8.0, 12.0, 1.5)
    assert ours.gflops == pytest.approx(4 * layers[0].operations(False) / 12.0 / 1e6)
    assert with_totals(rows[:3], layers)[3:] == [plain]


def test_memory_alone_covers_both_passes():
    assert passes(["memory"]) == ["inference", "training"]
    assert passes(["training", "memory"]) == ["training"]


def test_environment(monkeypatch, tmp_path):
    lines = environment.describe(Settings(threads=2), "python tools/benchmark/op.py")
    assert lines["threads"] == "2"
    assert f"torch {torch.__version__.split('+')[0]}" in lines["versions"]
    assert re.fullmatch(r"unknown|[0-9a-f]{40}( with uncommitted changes)?", lines["commit"])
    monkeypatch.setattr(environment, "_ROOT", tmp_path)
    assert environment.commit() == "unknown"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threads": 0}, r"--threads \(0\) must be at least 1"),
        ({"repeats": 0}, r"--repeats \(0\) must be at least 1"),
        ({"amp": "bfloat"}, r"--amp \(bfloat\) must be one of bf16, fp16"),
        ({"device": "tpu9"}, r"--device \(tpu9\) must be cpu, cuda or cuda:N"),
        ({"device": "cuda:99"}, r"--device \(cuda:99\) is not here: PyTorch finds \d+ GPUs"),
    ],
)
def test_settings_out_of_range(arguments, message):
    with pytest.raises(UserError, match=message):
        Settings(**arguments)


def test_settings_are_restored():
    threads = torch.get_num_threads()
    with Settings(threads=threads + 1).applied():
        assert torch.get_num_threads() == threads + 1
    assert torch.get_num_threads() == threads
