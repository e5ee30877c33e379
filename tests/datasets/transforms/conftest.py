"""A video and the same frames as a folder."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

import cgc_video.datasets.transforms  # noqa: F401  registers the steps

SHOWN, HEIGHT, WIDTH = 50, 96, 128


@pytest.fixture(scope="session")
def clip_file(tmp_path_factory) -> Path:
    """50 frames of smooth moving noise, 128 x 96, H.264 with GOPs of 20 and B-frames."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH + SHOWN, 3), dtype=np.uint8)
    scene = cv2.GaussianBlur(noise, (15, 15), 4)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "20", "bf": "3", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for shift in range(SHOWN):
            image = np.ascontiguousarray(scene[:, shift : shift + WIDTH])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def clip_folder(clip_file: Path, tmp_path_factory) -> Path:
    """The same frames as ``00001.jpg`` onwards."""
    folder = tmp_path_factory.mktemp("frames")
    with av.open(str(clip_file)) as container:
        for number, frame in enumerate(container.decode(video=0), start=1):
            cv2.imwrite(str(folder / f"{number:05d}.jpg"), frame.to_ndarray(format="bgr24"))
    return folder


@pytest.fixture
def run():
    """Runs steps over a sample, with the random numbers of MMAction2's steps fixed."""

    def go(steps: list[dict], sample: dict) -> dict:
        import random

        random.seed(0)
        np.random.seed(0)
        with DefaultScope.overwrite_default_scope("mmaction"):
            return Compose([TRANSFORMS.build(dict(step)) for step in steps])(dict(sample))

    return go


@pytest.fixture
def video_sample(clip_file: Path) -> dict:
    """A sample as a data set of videos hands it to its pipeline."""
    return dict(filename=str(clip_file), start_index=0, modality="RGB", label=0)


@pytest.fixture
def frames_sample(clip_folder: Path) -> dict:
    """A sample as a data set of frame folders hands it to its pipeline."""
    layout = dict(frame_dir=str(clip_folder), filename_tmpl="{:05}.jpg", start_index=1, total_frames=SHOWN)
    return dict(**layout, modality="RGB", label=0)
