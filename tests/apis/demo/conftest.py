"""An untrained recognizer, and clips to give it."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from cgc_video.apis.recognition import Recognizer, load_recognizer
from cgc_video.datasets.mini_sth.classes import CLASSES
from cgc_video.engine.config import load_config


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory, repository) -> tuple[str, str]:
    """A config and an untrained checkpoint of it."""
    config = str(repository / "configs" / "tsm_r18_cgc_mini.py")
    path = tmp_path_factory.mktemp("demo_model") / "model.pth"
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(load_config(config, {}).model)
    torch.save({"meta": {"dataset_meta": {"classes": list(CLASSES)}}, "state_dict": model.state_dict()}, path)
    return config, str(path)


@pytest.fixture(scope="session")
def tiny_recognizer(tiny_checkpoint) -> Recognizer:
    return load_recognizer(*tiny_checkpoint)


@pytest.fixture
def write_clip(tmp_path) -> Callable[..., Path]:
    """Write ``frames`` frames of 64x48, 8 a second, and return the path."""

    def write(name: str = "clip.mp4", frames: int = 12) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=Fraction(8))
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(frames):
                image = np.full((48, 64, 3), 40, np.uint8)
                image[10:30, 3 * index % 44 :][:, :20] = 220
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())
        return path

    return write
