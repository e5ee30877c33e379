"""The benchmark tools as commands, on tiny inputs."""

import importlib.util
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools" / "benchmark"


def load(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_tool_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


op, model = load("op"), load("model")


def test_op(capsys):
    options = "--network resnet18 --size 32 --batch 2 --repeats 1 --threads 1 --modes inference training --output out"
    options += " --formulations unfold ours"
    argv = options.split()
    assert op.main(argv) == 0
    printed = capsys.readouterr().out
    assert "matches its reference in" in printed
    assert "The formulations agree on 8 layer shapes." in printed
    assert "[8/8] c512-o512-3x3-1x1, input 2 x 512 x 1 x 1" in printed
    assert "all gated layers" in printed
    assert "GFLOP/s" in printed
    text = Path("out/op_resnet18_32.csv").read_text()
    assert f"# command: python tools/benchmark/op.py {options}\n" in text
    assert sum(not line.startswith("#") for line in text.splitlines()) == 1 + (8 + 1) * 2 * 3
    assert {path.suffix for path in Path("out").iterdir()} == {".csv", ".md", ".png"}


def test_model(capsys):
    argv = "--cases tsm-r18-cgc3d-64 --size 32 --clips 1 --formulations ours --repeats 1 --modes training memory"
    assert model.main([*argv.split(), "--threads", "1"]) == 0
    printed = capsys.readouterr().out
    assert "[1/1] tsm-r18-cgc3d-64, input 8 x 3 x 32 x 32" in printed
    assert "training, time: plain " in printed
    lines = [line for line in Path("work_dirs/benchmark/model.csv").read_text().splitlines() if line[0] != "#"]
    assert [line.split(",")[3] for line in lines] == ["formulation", "plain", "ours"]


@pytest.mark.needs_cuda
def test_model_on_a_gpu(capsys):
    argv = "--device cuda --amp bf16 --channels-last --size 64 --clips 2 --repeats 2"
    assert model.main(argv.split()) == 0
    printed = capsys.readouterr().out
    assert "[1/1] tsm-r50-cgc3d-16clips, input 16 x 3 x 64 x 64" in printed
    assert "training, peak memory: plain " in printed


@pytest.mark.parametrize(
    ("tool", "argv", "message"),
    [
        (model, ["--cases", "tsm-r50-cgc"], "--cases (tsm-r50-cgc) must be among r50-cgc2d, "),
        (model, ["--cases", "tsm-r50-cgc"], "(did you mean 'tsm-r50-cgc3d'?)."),
        (model, ["--size", "16"], "--size (16) must be at least 32"),
        (model, ["--clips", "0"], "--clips (0) must be at least 1."),
        (model, ["--formulations", "unfolded"], "(did you mean 'unfold'?)."),
        (model, ["--modes", "train"], "(did you mean 'training'?)."),
        (op, ["--threads", "0"], "--threads (0) must be at least 1."),
        (op, ["--device", "cuda:99"], "use --device cpu."),
        (op, ["--cases", "c64-o64-3x3-56"], "(did you mean 'c64-o64-3x3-56x56'?)."),
    ],
)
def test_mistakes_are_one_line(tool, argv, message, capsys):
    assert tool.main(argv) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_an_interrupt_ends_it(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("cgc_video.benchmark.session.check_op", interrupted)
    assert model.main(["--threads", "1"]) == 130
    assert capsys.readouterr().err == "error: interrupted.\n"


@pytest.mark.parametrize("tool", [op, model])
def test_help_lists_and_shows(tool, capsys):
    with pytest.raises(SystemExit) as exit_info:
        tool.main(["--help"])
    assert exit_info.value.code == 0
    printed = capsys.readouterr().out
    assert "example:\n  python tools/benchmark/" in printed
