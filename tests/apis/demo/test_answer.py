"""Answers to clips, without the page."""

from dataclasses import replace

import av
import pytest

from cgc_video.apis import predict
from cgc_video.apis.demo import Answerer, Limits
from cgc_video.errors import UserError


def test_the_best_classes_and_a_clip_of_grad_cam(tiny_recognizer, write_clip, tmp_path):
    answer = Answerer(tiny_recognizer, tmp_path / "out")
    answer.folder.mkdir()
    found = answer(write_clip())
    assert found.predictions == predict(tiny_recognizer, write_clip(), 5)
    with av.open(str(found.explanation)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 4  # those of a view
    again = answer(write_clip("other.mkv"))
    assert again.explanation != found.explanation
    assert list(answer.folder.iterdir()) == [again.explanation]


def test_files_that_cannot_be_used_get_a_message(tiny_recognizer, write_clip, tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").touch()
    limits = Limits(megabytes=0.5, seconds=2)
    (tmp_path / "large.mp4").write_bytes(bytes(600_000))
    answer = Answerer(tiny_recognizer, tmp_path, limits)
    messages = {name: answer(tmp_path / name).message for name in ("text.mp4", "empty.mp4", "large.mp4")}
    messages["long.mp4"] = answer(write_clip("long.mp4", frames=17)).message
    assert messages["large.mp4"] == "large.mp4 has 0.6 MB; this page takes 0.5 MB at most: cut the clip shorter."
    assert messages["long.mp4"] == "long.mp4 lasts 2.1 s; this page takes 2 s at most: cut the clip shorter."
    for name, message in messages.items():
        assert name in message
        assert str(tmp_path) not in message
    assert answer(None).message == "Drop a clip first."


def test_a_clip_at_the_limits_passes(tiny_recognizer, write_clip, tmp_path):
    clip = write_clip(frames=16)
    answer = Answerer(tiny_recognizer, tmp_path, Limits(megabytes=clip.stat().st_size / 1e6, seconds=2))
    assert answer(clip).message == ""


@pytest.mark.parametrize("limits", [{"megabytes": 0}, {"seconds": -1}, {"seconds": float("nan")}])
def test_limits_must_be_positive(limits):
    with pytest.raises(UserError, match="must be more than 0"):
        Limits(**limits)


def test_models_and_layers_that_do_not_fit(tiny_recognizer, tmp_path):
    class ForImages:
        takes_images = True

    with pytest.raises(UserError, match="a model for videos"):
        Answerer(replace(tiny_recognizer, pipeline=ForImages()), tmp_path)
    with pytest.raises(UserError, match=r"backbone.layer5.*backbone.layer4"):
        Answerer(tiny_recognizer, tmp_path, layer="backbone.layer5")
