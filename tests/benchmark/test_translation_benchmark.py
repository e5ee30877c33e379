"""The translation benchmark: its batches, what it times, and its tool."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from cgc_video.benchmark import translation_cases
from cgc_video.benchmark.settings import Settings
from cgc_video.benchmark.translation import run
from cgc_video.benchmark.translation_cases import CASES, TrainingCase
from cgc_video.translation.special_tokens import EOS, PAD

TOOL = Path(__file__).parents[2] / "tools" / "benchmark" / "translation.py"


@pytest.fixture
def _small_models(monkeypatch):
    """Models of the same rows, narrow and shallow."""
    sizes = dict(width=16, hidden=32, heads=4)
    rows = {
        name: tuple(
            {**part, **sizes, **({"num_layers": 1} if "num_layers" in part else {"kernel_sizes": (3,)})} for part in row
        )
        for name, row in translation_cases.ROWS.items()
    }
    monkeypatch.setattr(translation_cases, "ROWS", rows)


def test_batches_are_sentences():
    batch = TrainingCase("case", length=12, tokens=120).batch()
    assert {tuple(tokens.shape) for tokens in batch.values()} == {(10, 12)}
    for source, target_input, target in zip(*batch.values(), strict=True):
        for side in (source, target):
            words = side[side != PAD]
            assert 8 <= len(words) <= 12
            assert words.eq(EOS).nonzero().tolist() == [[len(words) - 1]]
        words = target[target != PAD]
        assert target_input[: len(words)].tolist() == [EOS, *words[:-1].tolist()]
        assert target_input[len(words) :].eq(PAD).all()


def test_the_cases_differ():
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.mode for case in CASES} == {"training", "inference"}


@pytest.mark.usefixtures("_small_models")
def test_every_case_is_timed_and_written(tmp_path, capsys):
    cases = [
        replace(case, tokens=200) if isinstance(case, TrainingCase) else replace(case, sentences=2, known=12)
        for case in CASES
    ]
    rows = run(cases, Settings(repeats=1), {"command": "python"}, tmp_path / "out", print)
    assert len(rows) == sum(1 + len(case.formulations) for case in cases)
    assert all(row.median_ms > 0 and row.time_ratio > 0 for row in rows)
    text = (tmp_path / "out" / "translation.csv").read_text()
    assert text.startswith("# command: python\n")
    assert sum(not line.startswith("#") for line in text.splitlines()) == 1 + len(rows)
    assert "[1/6] step-16, 12 x 16 tokens" in capsys.readouterr().out


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location("benchmark_tool_translation", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("_small_models")
def test_the_tool(tool, tmp_path, capsys):
    argv = f"--cases step-16 --tokens 64 --repeats 1 --threads 1 --output {tmp_path}"
    assert tool.main(argv.split()) == 0
    printed = capsys.readouterr().out
    assert "[1/1] step-16, 4 x 16 tokens" in printed
    assert "training, time: plain " in printed
    assert (tmp_path / "translation.md").read_text().count("| `step-16` |") == 1


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--cases", "step-33"], "(did you mean 'step-32'?)."),
        (["--tokens", "0"], "--tokens (0) must be at least 1."),
        (["--repeats", "0"], "--repeats (0) must be at least 1."),
        (["--device", "tpu"], "--device (tpu) must be cpu, cuda or cuda:N."),
    ],
)
def test_mistakes_are_one_line(tool, argv, message, capsys):
    assert tool.main(argv) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_help_shows_an_example(tool, capsys):
    with pytest.raises(SystemExit) as exit_info:
        tool.main(["--help"])
    assert exit_info.value.code == 0
    assert "example:\n  python tools/benchmark/translation.py" in capsys.readouterr().out
