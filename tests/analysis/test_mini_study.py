"""The study: its summary, and a run of it that is not repeated."""

import json

import pytest

from cgc_video.analysis.mini_study import MODELS, Run, plot, run_study, summarise, to_markdown, write_csv
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.errors import UserError

RUNS = [
    Run("TSN", 0, 0.5, 11_180_616, 60.0),
    Run("TSN", 1, 0.54, 11_180_616, 120.0),
    Run("TSN + CGC", 0, 0.99, 11_402_192, 90.0),
]


def test_summary_has_mean_and_sample_deviation():
    tsn, gated = summarise(RUNS)
    assert tsn.model == "TSN"
    assert tsn.runs == 2
    assert tsn.top1_mean == pytest.approx(0.52)
    assert tsn.top1_std == pytest.approx(0.02 * 2**0.5)
    assert tsn.minutes == pytest.approx(1.5)
    assert gated.top1_std == 0


def test_table_and_files(tmp_path):
    table = to_markdown(summarise(RUNS))
    assert "| TSN | 52.0 ± 2.8 | 2 | 11.18 M | 1.5 |" in table
    write_csv(summarise(RUNS), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text().count("\n") == 3
    plot(RUNS, tmp_path / "study.png")
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG")


def test_a_study_runs_resumes_and_keeps_its_settings(tmp_path):
    build_mini(tmp_path / "data", MiniArguments(train=8, val=8, size=64, frames=8))
    options = ["train_cfg.max_epochs=1"]
    for split, name in (("train", "train"), ("val", "val")):
        options += [
            f"{split}_dataloader.dataset.ann_file={tmp_path}/data/{name}_list.txt",
            f"{split}_dataloader.dataset.data_prefix.video={tmp_path}/data/videos",
            f"{split}_dataloader.num_workers=0",
            f"{split}_dataloader.persistent_workers=False",
        ]
    lines: list[str] = []
    (run,) = run_study(str(tmp_path / "study"), [0], ["TSN"], options, report=lines.append)
    assert 0 <= run.top1 <= 1
    assert run.parameters == 11_180_616
    assert lines[0].startswith("[1/1] TSN, seed 0: top-1 ")
    assert json.loads((tmp_path / "study" / "runs.json").read_text())[0]["model"] == "TSN"
    log = tmp_path / "study" / f"{MODELS['TSN']}_seed0" / "output.txt"
    before = log.read_text()
    assert run_study(str(tmp_path / "study"), [0], ["TSN"], options, report=lines.append) == [run]
    assert log.read_text() == before
    with pytest.raises(UserError, match="holds a study with other settings"):
        run_study(str(tmp_path / "study"), [0], ["TSN"], [])


def test_a_failing_run_names_its_log(tmp_path):
    with pytest.raises(UserError, match=r"TSN with seed 0 failed \(.*\); see .*output\.txt"):
        run_study(str(tmp_path / "study"), [0], ["TSN"], ["train_dataloader.dataset.ann_file=nowhere.txt"], report=str)
