"""Curves of several runs: read, drawn, and what is refused."""

import cv2
import numpy as np

from tools.analysis.plot_runs import main

TABLE = "epoch,lr,loss,train_top1,val_top1\n1,0.1,2.0,0.3,0.4\n2,0.01,1.0,0.6,\n"


def _work_dir(folder, name: str, table: str = TABLE) -> str:
    (folder / name).mkdir()
    (folder / name / "curves.csv").write_text(table)
    return str(folder / name)


def test_two_runs_in_one_figure(tmp_path, capsys):
    runs = [_work_dir(tmp_path, "plain"), _work_dir(tmp_path, "gated")]
    picture = tmp_path / "new" / "runs.png"
    assert main([*runs, "--labels", "R50", "R50 + CGC", "--output", str(picture)]) == 0
    assert capsys.readouterr().out == f"{picture}: train_top1, val_top1, loss of 2 runs\n"
    assert np.ptp(cv2.imread(str(picture))) > 100


def test_what_is_refused(tmp_path, capsys):
    run, bad = _work_dir(tmp_path, "run"), _work_dir(tmp_path, "bad", "epoch,loss\none,2\n")
    empty = _work_dir(tmp_path, "empty", "epoch,loss\n")
    for arguments, sentence in (
        ([str(tmp_path / "gone")], "curves.csv does not exist; give the work dir of a training"),
        ([bad], "is no table of curves"),
        ([empty], "holds no epochs yet"),
        ([run, run], "need names of their own"),
        ([run, "--labels", "a", "b"], "--labels (a, b) must be one per work dir (1)"),
        ([run, "--metrics", "top3"], "metric (top3) is in no curves.csv; there are loss, lr, top1"),
    ):
        assert main([*arguments, "--output", str(tmp_path / "runs.png")]) == 2
        assert sentence in capsys.readouterr().err
