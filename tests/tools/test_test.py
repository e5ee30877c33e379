"""``tools/test.py``: a multi-view test of a tiny checkpoint, its files, and its errors."""

import csv
import importlib.util
import json
import pickle
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "test.py"


@pytest.fixture(scope="module")
def run():
    spec = importlib.util.spec_from_file_location("cgc_tools_test", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture
def checkpoint(tiny_config, random_weights) -> str:
    return random_weights(tiny_config())


def test_reports_every_clip_once(run, tiny_config, checkpoint, capsys):
    assert run([tiny_config(), checkpoint, "--work-dir", "out", "--dump", "scores.pkl"]) == 0
    printed = capsys.readouterr().out
    table = printed[printed.rindex("test  ") :]
    assert "mean class accuracy" in table
    assert "views per clip" in table
    assert "out/eval/test_confusion_matrix.png" in table
    assert "Going left" in printed
    assert "5 test clips, 3 classes, 3 per batch" in printed

    saved = json.loads(Path("out/eval/metrics.json").read_text())
    assert saved["clips"] == 5
    assert saved["views_per_clip"] == 6
    with open("scores.pkl", "rb") as file:
        results = pickle.load(file)
    right = sum(int(r["pred_score"].argmax() == r["gt_label"]) for r in results)
    assert len(results) == 5
    assert saved["metrics"]["acc/top1"] == pytest.approx(right / 5)
    assert saved["metrics"]["acc/top5"] == 1.0

    with open("out/eval/test_per_class.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == ["Going left", "Going right", "Standing still"]
    assert [row["clips"] for row in rows] == ["2", "2", "1"]
    with open("out/eval/test_confusion_matrix.csv", newline="") as file:
        matrix = list(csv.reader(file))
    assert sum(int(n) for row in matrix[1:] for n in row[1:]) == 5


def test_the_training_config_stays_in_the_work_dir(run, tiny_config, checkpoint):
    Path("out").mkdir()
    Path("out/tiny.py").write_text("# of a training\n")
    config = tiny_config()
    assert Path(config).name == "tiny.py"
    assert run([config, checkpoint, "--work-dir", "out"]) == 0
    assert Path("out/tiny.py").read_text() == "# of a training\n"
    assert len(list(Path("out").glob("*/tiny.py"))) == 1


def test_a_config_without_a_report_gets_one(run, tiny_config, checkpoint, capsys):
    config = tiny_config(('test_evaluator = [dict(type="AccMetric"), dict(type="ClassReport")]', ONLY_ACC))
    assert run([config, checkpoint]) == 0
    assert Path("work_dirs/tiny/eval/test_per_class.csv").is_file()


ONLY_ACC = 'test_evaluator = dict(type="AccMetric")'


def fails(run, capsys, *argv: str) -> str:
    assert run(list(argv)) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error.splitlines()[-1]


def test_checkpoint_of_another_model(run, tiny_config, checkpoint, capsys):
    message = fails(run, capsys, tiny_config(("depth=18", "depth=34")), checkpoint)
    assert "is of another model than this config builds: 102 entries match" in message
    assert "missing (backbone.layer1.2.conv1.conv.net.weight" in message


def test_missing_checkpoint_suggests_the_nearest(run, tiny_config, checkpoint, capsys):
    message = fails(run, capsys, tiny_config(), checkpoint.replace("weights", "weigths"))
    assert "does not exist; did you mean" in message


def test_not_a_checkpoint(run, tiny_config, tmp_path, capsys):
    (tmp_path / "a.pth").write_text("text")
    assert "checkpoint (a.pth) is no checkpoint" in fails(run, capsys, tiny_config(), "a.pth")


def test_num_segments_that_do_not_divide(run, tiny_config, checkpoint, capsys):
    message = fails(run, capsys, tiny_config(), checkpoint, "--cfg-options", "model.backbone.num_segments=3")
    assert "model.backbone.num_segments (3) must divide the 4 frames that test_dataloader.dataset" in message


def test_dump_and_interval_are_checked(run, tiny_config, checkpoint, capsys):
    assert "--dump (a.json) must end in" in fails(run, capsys, tiny_config(), checkpoint, "--dump", "a.json")
    message = fails(run, capsys, tiny_config(), checkpoint, "--show-dir", "shown", "--interval", "0")
    assert "--interval (0) must be at least 1" in message


def test_missing_test_data(run, tiny_config, checkpoint, capsys):
    message = fails(run, capsys, tiny_config(("DATA/list.txt", "data/x.txt")), checkpoint)
    assert "test_dataloader.dataset.ann_file (data/x.txt) does not exist; prepare the data with" in message


def test_clips_are_drawn(run, tiny_config, checkpoint):
    assert run([tiny_config(), checkpoint, "--show-dir", "shown", "--interval", "2"]) == 0
    drawn = sorted(path.name for path in Path("shown").iterdir())
    assert [name.partition("_")[0] for name in drawn] == ["000000", "000002", "000004"]


def test_a_config_without_a_test(run, tiny_config, checkpoint, capsys):
    message = fails(run, capsys, tiny_config(('test_cfg = dict(type="TestLoop")', "")), checkpoint)
    assert "the config has no test_cfg, which is needed to test" in message
