"""``tools/train.py`` and ``tools/test.py`` on lists with broken files: one sentence, exit code 2, or a stated denominator."""

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

TOOLS = Path(__file__).parents[2] / "tools"
BAD = ("missing", "empty", "text", "cut")


def load(name: str) -> Callable[[list[str]], int]:
    spec = importlib.util.spec_from_file_location(f"cgc_tools_faults_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture
def config(tiny_config, tiny_data, tmp_path) -> Callable[..., str]:
    """Write a config of the good clips, by default with the broken ones among them, and return its path."""
    videos = tmp_path / "videos"
    shutil.copytree(tiny_data / "videos", videos)
    data = (videos / "0.mp4").read_bytes()
    (videos / "empty.mp4").write_bytes(b"")
    (videos / "text.mp4").write_text("this is no video\n" * 20)
    (videos / "cut.mp4").write_bytes(data[: len(data) // 2])
    good = (tiny_data / "list.txt").read_text().splitlines()
    lines = {True: list(good), False: good}
    for position, name in enumerate(BAD):
        lines[True].insert(2 * position + 1, f"{name}.mp4 {position % 3}")

    def write(options: str = "", workers: int = 2, broken: bool = True) -> str:
        path = tmp_path / f"list_{broken}.txt"
        path.write_text("\n".join(lines[broken]) + "\n")
        ours = f'data = dict(type="ListedVideos", class_file="DATA/classes.txt", ann_file="{path.as_posix()}"'
        return tiny_config(
            ('data = dict(type="VideoDataset", ann_file="DATA/list.txt"', ours),
            ('"DATA/videos")', f'"{videos.as_posix()}"){options}'),
            ('type="DecordInit"', 'type="VideoOpen"'),
            ('type="DecordDecode"', 'type="VideoDecode"'),
            ("num_workers=0", f"num_workers={workers}"),
            name=f"faults_{broken}",
        )

    return write


@pytest.fixture
def fails(capsys) -> Callable[..., str]:
    """Run a tool, expect exit code 2 and one sentence on stderr; returns that line."""

    def run(tool: str, *argv: str) -> str:
        assert load(tool)(list(argv)) == 2
        error = capsys.readouterr().err
        assert "Traceback" not in error
        lines = [line for line in error.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, error
        return lines[0]

    return run


@pytest.fixture(scope="module")
def built() -> dict[str, torch.Tensor]:
    """Holds the weights once they are made, which takes seconds."""
    return {}


@pytest.fixture
def checkpoint(config, built) -> str:
    """Random weights of the model that the config builds."""
    if not built:
        with DefaultScope.overwrite_default_scope("mmaction"):
            built |= MODELS.build(Config.fromfile(config()).model).state_dict()
    torch.save({"state_dict": built, "meta": {}}, "weights.pth")
    return "weights.pth"


def test_training_goes_on_and_names_each_file_once(config):
    argv = [
        config(", max_bad_share=0.5"),
        "--no-validate",
        "--work-dir",
        "out",
        "--cfg-options",
        "train_cfg.max_epochs=2",
    ]
    assert load("train")(argv) == 0
    assert Path("out/epoch_2.pth").is_file()
    (log,) = Path("out").glob("*/*.log")
    lines = [line for line in log.read_text().splitlines() if "cannot be decoded" in line]
    assert len(lines) == 4
    for name in BAD:
        assert sum(f"{name}.mp4 cannot be decoded: " in line for line in lines) == 1


def test_the_report_names_each_file_once_and_how_often_it_was_replaced(config):
    """With the hook of ``configs/_base_/default_runtime.py``; 9 files, 4 of them bad, 2 epochs, then one more by a resumed run."""
    path = Path(config(", max_bad_share=0.5"))
    path.write_text(path.read_text() + 'custom_hooks = [dict(type="DataFaultsHook")]\n')
    argv = [str(path), "--no-validate", "--work-dir", "out", "--cfg-options"]
    assert load("train")([*argv, "train_cfg.max_epochs=2"]) == 0
    log = max(Path("out").glob("*/*.log")).read_text()
    for name in BAD:
        assert sum(f"{name}.mp4 cannot be decoded: " in line for line in log.splitlines()) == 1
    header, *rows = [line.split("\t") for line in Path("out/bad_files.txt").read_text().splitlines()]
    assert header == ["replaced", "file", "reason"]
    assert sorted(Path(path).stem for _, path, _ in rows) == sorted(BAD)
    assert {Path(path).stem: reason for _, path, reason in rows}["empty"] == "empty (0 bytes)"
    replaced = sum(int(count) for count, _, _ in rows)
    assert replaced >= 2 * len(BAD)  # a sample drawn in the place of a bad one may be bad, too
    assert f"4 of 9 files could not be decoded and were replaced by other samples, {replaced} times in all: " in log
    assert load("train")([*argv, "train_cfg.max_epochs=3", "--resume"]) == 0
    rows = [line.split("\t") for line in Path("out/bad_files.txt").read_text().splitlines()[1:]]
    assert sorted(Path(path).stem for _, path, _ in rows) == sorted(BAD)
    assert sum(int(count) for count, _, _ in rows) >= replaced + len(BAD)


@pytest.mark.parametrize("workers", [0, 2])
def test_training_stops_above_the_share(config, fails, workers):
    message = fails("train", config(workers=workers), "--no-validate")
    # workers load ahead, and count what all of them have met by then
    counts = [f"{count} of 9 files ({count / 9:.1%})" for count in range(1, 1 + (len(BAD) if workers else 1))]
    assert message.startswith(
        tuple(f"error: {count} cannot be decoded, more than max_bad_share (10.0%)" for count in counts)
    )
    assert any(f"{name}.mp4" in message for name in BAD)
    assert message.endswith("tools/data/check.py LIST --write-clean, or raise train_dataloader.dataset.max_bad_share.")


@pytest.mark.parametrize("workers", [0, 2])
def test_testing_names_the_file(config, checkpoint, fails, workers):
    message = fails("test", config(workers=workers), checkpoint)
    assert message.startswith("error: ")
    assert "missing.mp4 cannot be decoded: missing; " in message
    assert message.endswith("or set skip_bad=True in the data set.")


def test_skip_bad_states_the_denominator(config, checkpoint, capsys):
    test = load("test")
    assert test([config(", skip_bad=True"), checkpoint, "--work-dir", "skipped", "--show-dir", "shown"]) == 0
    printed = capsys.readouterr().out
    assert "5 of 9 clips scored; skipped: " in printed
    assert "5 of 9 (4 skipped)" in printed[printed.rindex("clips tested") :]
    skipped = json.loads(Path("skipped/eval/metrics.json").read_text())
    assert skipped["clips"] == skipped["metrics"]["report/clips"] == skipped["metrics"]["scored/clips"] == 5
    assert [Path(path).stem for path in skipped["skipped"]] == list(BAD)
    assert skipped["metrics"]["scored/skipped"] == 4
    assert len(list(Path("shown").iterdir())) == 5

    assert test([config(broken=False), checkpoint, "--work-dir", "clean"]) == 0
    clean = json.loads(Path("clean/eval/metrics.json").read_text())
    assert "skipped" not in clean
    assert clean["clips"] == 5
    assert {key: skipped["metrics"][key] for key in clean["metrics"]} == clean["metrics"]
    table = "eval/test_confusion_matrix.csv"
    assert Path("skipped", table).read_text() == Path("clean", table).read_text()
