"""Naming what a video shows."""

from dataclasses import replace

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from cgc_video.apis import load_recognizer, predict
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.classes import CLASSES
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.errors import UserError
from tools.predict import main

CONFIG = "configs/tsm_r18_cgc_mini.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository):
    """A rendered data set and an untrained checkpoint with class names in its meta."""
    root = tmp_path_factory.mktemp("predict")
    build_mini(root / "data", MiniArguments(train=8, val=8, size=64, frames=8))
    cfg = Config.fromfile(str(repository / CONFIG))
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg.model)
    meta = {"dataset_meta": {"classes": list(CLASSES)}}
    torch.save({"meta": meta, "state_dict": model.state_dict()}, root / "model.pth")
    torch.save({"meta": {}, "state_dict": model.state_dict()}, root / "nameless.pth")
    return root


def test_names_and_probabilities(folder, repository):
    recognizer = load_recognizer(str(repository / CONFIG), str(folder / "model.pth"))
    video = str(next((folder / "data" / "videos").iterdir()))
    predictions = predict(recognizer, video, top_k=100)
    assert sorted(p.name for p in predictions) == sorted(CLASSES)
    assert sum(p.probability for p in predictions) == pytest.approx(1, abs=1e-4)
    assert [p.probability for p in predictions] == sorted((p.probability for p in predictions), reverse=True)
    assert all(CLASSES[p.label] == p.name for p in predictions)
    assert predict(recognizer, video, top_k=2) == predictions[:2]


def test_views_that_are_cut_on_demand_give_the_same_scores(folder, repository):
    recognizer = load_recognizer(str(repository / CONFIG), str(folder / "model.pth"))
    video = str(next((folder / "data" / "videos").iterdir()))
    sample = dict(type="SampleFrames", clip_len=1, num_clips=4, test_mode=True)
    resize = dict(type="Resize", scale=(-1, 32))
    pipelines = [
        ["VideoOpen", sample, "VideoDecode", resize, dict(type="ThreeCrop", crop_size=32)],
        [
            dict(type="VideoOpen", with_size=True),
            sample,
            dict(resize, lazy=True),
            dict(type="VideoDecode", unique=True),
        ],
    ]
    pipelines[0] += [dict(type="FormatShape", input_format="NCHW"), "PackActionInputs"]
    pipelines[1] += [dict(type="LazyViews", crop_size=32, input_format="NCHW")]
    pipelines[1] += [dict(type="PackActionInputs", collect_keys=("frames", "frame_places", "boxes"))]
    results = []
    for steps in pipelines:
        with DefaultScope.overwrite_default_scope("mmaction"):
            pipeline = Compose([dict(type=step) if isinstance(step, str) else step for step in steps])
        results.append(predict(replace(recognizer, pipeline=pipeline), video))
    assert [p.label for p in results[0]] == [p.label for p in results[1]]
    assert [p.probability for p in results[0]] == pytest.approx([p.probability for p in results[1]], abs=1e-5)


def test_real_clips(folder, repository, clips):
    recognizer = load_recognizer(str(repository / CONFIG), str(folder / "model.pth"))
    for name in ("demo.mp4", "test.mp4", "test.avi"):
        assert len(predict(recognizer, str(clips / name))) == 5


def test_the_tool_prints_a_table_and_goes_on_after_a_bad_file(folder, repository, capsys):
    good, bad = str(next((folder / "data" / "videos").iterdir())), folder / "broken.mp4"
    bad.write_text("no video")
    code = main([str(repository / CONFIG), str(folder / "model.pth"), str(bad), "nowhere.mp4", good, "--top-k", "2"])
    out, err = capsys.readouterr()
    assert code == 2
    assert "broken.mp4 cannot be decoded: not a video" in err
    assert "The video nowhere.mp4 does not exist" in err
    assert "Traceback" not in err
    assert out.splitlines()[0] == good
    assert sum("%" in line for line in out.splitlines()) == 2


def test_without_names_the_labels_are_shown(folder, repository, monkeypatch):
    monkeypatch.chdir(folder)
    recognizer = load_recognizer(str(repository / CONFIG), str(folder / "nameless.pth"))
    assert recognizer.class_names == [str(label) for label in range(8)]


def test_another_model_is_refused(folder, repository):
    with pytest.raises(UserError, match="is of another model than this config builds"):
        load_recognizer(str(repository / "configs/tsn_r18_mini.py"), str(folder / "model.pth"))
    with pytest.raises(UserError, match="does not exist"):
        load_recognizer(str(repository / CONFIG), str(folder / "none.pth"))
