"""The page of a run: self-contained, its mistakes ordered by confidence, and honest about what is missing."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from cgc_video.analysis.run_report.mistakes import worst_mistakes
from cgc_video.analysis.run_report.page import Section, embed, render, table
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.engine.trained import build_loader, load_trained
from tools.report import main

CONFIG = "configs/tsm_r18_cgc_mini.py"


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory, repository):
    """What a training leaves behind, from random weights."""
    root = tmp_path_factory.mktemp("report")
    build_mini(root / "data" / "mini_sth", MiniArguments(train=8, val=16, size=64, frames=8))
    cfg = Config.fromfile(str(repository / CONFIG))
    folder = root / "work_dirs" / "run"
    (folder / "eval").mkdir(parents=True)
    cfg.dump(str(folder / "tsm_r18_cgc_mini.py"))
    from mmaction.registry import MODELS
    from mmengine.registry import DefaultScope

    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg.model)
    torch.save({"meta": {}, "state_dict": model.state_dict()}, folder / "epoch_1.pth")
    (folder / "last_checkpoint").write_text("elsewhere/epoch_1.pth")
    (folder / "curves.csv").write_text("epoch,loss,val_top1\n1,2.0,0.125\n")
    rows = "index,class,clips,correct,top1,confused_with,confused_clips\n0,a <b>,2,1,0.5,c,1\n"
    (folder / "eval" / "val_per_class.csv").write_text(rows)
    return folder


def test_the_page_holds_everything_itself(work_dir, monkeypatch, capsys):
    monkeypatch.chdir(work_dir.parents[1])
    assert main([str(work_dir), "--mistakes", "2", "--layer", "backbone.layer1"]) == 0
    page = Path(capsys.readouterr().out.strip()).read_text()
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "<script" not in page
    assert page.count("<figure>") == 2
    assert "12.5%" in page
    assert "a &lt;b&gt;" in page
    assert "conv_cfg" in page


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [360, 1200])
def test_a_browser_shows_it_without_a_network_at_any_width(work_dir, monkeypatch, tmp_path, width):
    """A script in a copy of the page writes down what the browser made of it."""
    monkeypatch.chdir(work_dir.parents[1])
    assert (
        main([str(work_dir), "--mistakes", "1", "--layer", "backbone.layer1", "--output", str(tmp_path / "page.html")])
        == 0
    )
    measure = "document.title = [innerWidth, document.documentElement.scrollWidth, [...document.images].every(i => i.naturalWidth > 0)]"
    frame = f'<iframe src="page.html" width="{width}" height="800"></iframe>'
    page = (tmp_path / "page.html").read_text()
    copy = page.replace(
        "</body>", f"<script>onload = () => {{ {measure}; parent.postMessage(document.title, '*') }}</script></body>"
    )
    (tmp_path / "page.html").write_text(copy)
    listen = "<script>onmessage = e => document.body.append('measured:' + e.data + ';')</script>"
    (tmp_path / "frame.html").write_text(f"<!doctype html><body>{listen}{frame}</body>")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
    ]
    flags += [
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=5000",
    ]
    command = ["chromium", *flags, "--dump-dom", (tmp_path / "frame.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    inner, scroll, images = re.search(r"measured:(\d+),(\d+),(\w+);", done.stdout).groups()
    assert int(inner) == width
    assert int(scroll) <= width  # nothing sticks out at the side
    assert images == "true"


def test_without_the_data_the_page_says_so(work_dir, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main([str(work_dir), "--output", "page.html"]) == 0
    assert (
        "Not shown: val_dataloader.dataset.ann_file (data/mini_sth/val_list.txt) does not exist"
        in Path("page.html").read_text()
    )


def test_mistakes_are_the_most_confident_ones(work_dir, monkeypatch):
    monkeypatch.chdir(work_dir.parents[1])
    trained = load_trained(str(work_dir / "tsm_r18_cgc_mini.py"), str(work_dir / "epoch_1.pth"))
    loader = build_loader(trained.cfg, "val")
    every = worst_mistakes(trained, loader, 100)
    with torch.no_grad():
        scored = [sample for batch in loader for sample in trained.model.test_step(batch)]
    wrong = [s for s in scored if int(s.pred_score.argmax()) != int(s.gt_label)]
    expected = sorted((float(s.pred_score.max()) for s in wrong), reverse=True)
    assert [m.probability for m in every] == pytest.approx(expected)
    assert worst_mistakes(trained, loader, 3) == every[:3]
    assert all(scored[m.index].gt_label == m.label for m in every)


@pytest.mark.parametrize(("what", "sentence"), [("gone", "is no folder"), ("empty", "holds no finished run")])
def test_what_is_no_run(what, sentence, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / what)]) == 2
    assert sentence in capsys.readouterr().err


def test_text_is_escaped_and_pictures_are_inside():
    page = render("<run>", [Section("a", table(("x",), [("<i>",)]) + embed(np.zeros((2, 2, 3), np.uint8), '"quoted"'))])
    assert "<run>" not in page
    assert "<i>" not in page
    assert 'alt="&quot;quoted&quot;" src="data:image/png;base64,' in page
