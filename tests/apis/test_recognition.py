"""Naming what a video shows."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from cgc_video.apis import load_recognizer, predict, predict_many, predict_over_time
from cgc_video.apis.sources import SourcePipeline, expand_sources, output_names
from cgc_video.datasets.decoding.video import open_video
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.classes import CLASSES
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.errors import UserError
from tools.analysis import gradcam
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
            pipeline = SourcePipeline([dict(type=step) if isinstance(step, str) else step for step in steps])
        results.append(predict(replace(recognizer, pipeline=pipeline), video))
    assert [p.label for p in results[0]] == [p.label for p in results[1]]
    assert [p.probability for p in results[0]] == pytest.approx([p.probability for p in results[1]], abs=1e-5)


@pytest.fixture(scope="module")
def recognizer(folder, repository):
    return load_recognizer(str(repository / CONFIG), str(folder / "model.pth"))


@pytest.fixture(scope="module")
def videos(folder):
    return sorted(str(path) for path in (folder / "data" / "videos").iterdir())


def test_a_video_its_frames_in_a_folder_and_in_an_array_are_one_thing(recognizer, videos, tmp_path):
    with open_video(videos[0]) as video:
        frames = video.frames(range(video.num_frames))
    (tmp_path / "frames").mkdir()
    for number, frame in enumerate(frames, start=1):
        cv2.imwrite(str(tmp_path / "frames" / f"{number:05}.png"), frame[..., ::-1])
    expected = predict(recognizer, videos[0])
    assert predict(recognizer, frames) == expected
    assert predict(recognizer, tmp_path / "frames") == expected


def test_any_length_can_be_scored(recognizer):
    for length in (1, 2, 3, 200):
        frames = np.random.default_rng(0).integers(0, 256, (length, 40, 50, 3), dtype=np.uint8)
        assert sum(p.probability for p in predict(recognizer, frames, top_k=8)) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("shape", [(0, 8, 8, 3), (4, 8, 8), (4, 8, 8, 4)])
def test_an_array_of_another_shape_is_an_error(recognizer, shape):
    with pytest.raises(UserError, match=r"must be frames \(T, H, W, 3\) in uint8"):
        predict(recognizer, np.zeros(shape, np.uint8))


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (3, 2), (20, 4)])
def test_many_sources_keep_their_order_and_their_scores(recognizer, videos, batch_size, workers):
    sources = [videos[0], "nowhere.mp4", *videos[1:6]]
    found = list(predict_many(recognizer, sources, 2, batch_size, workers))
    assert [source for source, _ in found] == sources
    assert isinstance(found[1][1], UserError)
    for source, predictions in found[:1] + found[2:]:
        expected = predict(recognizer, source, 2)
        assert [p.label for p in predictions] == [p.label for p in expected]
        assert [p.probability for p in predictions] == pytest.approx([p.probability for p in expected], abs=1e-5)


def test_a_sliding_window_scores_each_stretch_as_a_video_of_its_own(recognizer):
    frames = np.random.default_rng(0).integers(0, 256, (50, 40, 40, 3), dtype=np.uint8)
    moments = list(predict_over_time(recognizer, frames, window=20, stride=12))
    assert [(moment.start, moment.stop) for moment in moments] == [(0, 20), (12, 32), (24, 44), (30, 50)]
    for moment in moments:
        assert moment.predictions == predict(recognizer, frames[moment.start : moment.stop])


def test_a_window_longer_than_the_video_is_the_video(recognizer, videos):
    (moment,) = predict_over_time(recognizer, videos[0], window=1000)
    assert moment.predictions == predict(recognizer, videos[0])
    assert moment.fps > 0
    with pytest.raises(UserError, match=r"window \(0\) and stride"):
        next(predict_over_time(recognizer, videos[0], window=0))


def test_a_folder_of_videos_stands_for_them(folder, videos, tmp_path):
    assert expand_sources([str(folder / "data" / "videos"), "other.mp4"]) == [*videos, "other.mp4"]
    assert expand_sources([str(tmp_path)]) == [str(tmp_path)]


def test_the_tool_writes_files_and_a_labelled_copy(folder, repository, videos, tmp_path, capsys):
    arguments = [str(repository / CONFIG), str(folder / "model.pth"), videos[0], "nowhere.mp4", "--top-k", "2"]
    arguments += ["--window", "0.5", "--json", str(tmp_path / "o.json"), "--csv", str(tmp_path / "o.csv")]
    assert main([*arguments, "--draw", str(tmp_path / "drawn")]) == 2
    found = json.loads((tmp_path / "o.json").read_text())
    assert [entry["source"] for entry in found] == [videos[0], "nowhere.mp4"]
    assert len(found[0]["moments"][0]["predictions"]) == 2
    assert "does not exist" in found[1]["error"]
    with (tmp_path / "o.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(found[0]["moments"]) + 1
    copy = tmp_path / "drawn" / f"{Path(videos[0]).stem}_labelled.mp4"
    with open_video(copy) as drawn, open_video(videos[0]) as original:
        assert drawn.num_frames == original.num_frames
        top, bottom = (
            np.abs(part.astype(int)).mean() for part in (drawn.frames([0])[0][:10], drawn.frames([0])[0][32:])
        )
        assert top < original.frames([0])[0][:10].mean()  # the band behind the text is darkened
        assert bottom == pytest.approx(original.frames([0])[0][32:].mean(), abs=6)
    assert not list((tmp_path / "drawn").glob(".*"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--top-k", "0"], "--top-k (0) must be at least 1"),
        (["--stride", "2"], "--stride (2.0) is the step of a window"),
        (["--window", "-1"], "--window (-1.0) must be more than 0 seconds"),
    ],
)
def test_wrong_options_are_one_sentence(options, sentence, capsys):
    assert main([CONFIG, "model.pth", "a.mp4", *options]) == 2
    assert sentence in capsys.readouterr().err


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


def test_names_of_what_is_written():
    assert output_names(["a/1.mp4", "b/1.mp4", "c/2.mp4"]) == ["a_1", "b_1", "2"]
    assert output_names(["x/a/1.mp4", "y/a/1.mp4", "1.avi", "1.mkv"]) == ["x_a_1", "y_a_1", "1", "1_2"]
    assert output_names(["../1.mp4", "1.mp4", "folder/"]) == ["1", "1_2", "folder"]
    assert output_names([]) == []


@pytest.fixture(scope="module")
def classifier(tmp_path_factory, repository):
    """A config of images and an untrained checkpoint of it."""
    config, path = (
        str(repository / "configs" / "resnet20_cgc_digits.py"),
        tmp_path_factory.mktemp("images") / "model.pth",
    )
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(Config.fromfile(config).model)
    classes = [str(digit) for digit in range(10)]
    torch.save({"meta": {"dataset_meta": {"classes": classes}}, "state_dict": model.state_dict()}, path)
    return config, str(path)


def test_images(classifier, tmp_path, capsys):
    """Of any size, by file, folder or array; two of the same name keep apart."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 20, 16, 3), dtype=np.uint8)
    for folder, image in zip("ab", pixels, strict=True):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "1.png"), image[..., ::-1])
    recognizer = load_recognizer(*classifier)
    found = predict(recognizer, str(tmp_path / "a" / "1.png"))
    assert found == predict(recognizer, pixels[0])
    assert len(found) == 5
    assert main([*classifier, str(tmp_path), "--json", str(tmp_path / "out.json")]) == 0
    results = json.loads((tmp_path / "out.json").read_text())
    assert [Path(each["source"]).parent.name for each in results] == ["a", "b"]
    assert set(results[0]["moments"][0]) == {"predictions"}
    (tmp_path / "empty").mkdir()
    assert main([*classifier, str(tmp_path / "empty"), str(tmp_path / "none.png")]) == 2
    error = capsys.readouterr().err
    assert "empty is a folder without images" in error
    assert "none.png does not exist" in error


def test_explaining_an_image(classifier, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((8, 8, 3), np.uint8))
    output = tmp_path / "out"
    assert gradcam.main([*classifier, str(tmp_path / "1.png"), "--gate", "--output", str(output)]) == 0
    assert [path.name for path in output.iterdir()] == ["1.png"]


@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_an_output_that_cannot_be_written_is_told_first(classifier, tmp_path, capsys, option):
    assert main([*classifier, "none.png", option, str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: {option} ({tmp_path}) is a folder; name a file.\n"
