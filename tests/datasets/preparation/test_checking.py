"""What is wrong with a clip is said in a few words, and a good one is never called bad."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from cgc_video.datasets.preparation.checking import check_clips
from cgc_video.datasets.preparation.scan import VIDEO_SUFFIXES


def write_video(path, frames=40, **options):
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 64, "yuv420p", 10
        for _ in range(frames):
            image = rng.integers(0, 255, (64, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_audio(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A good file, and each fault that a video can have."""
    root = tmp_path_factory.mktemp("faults")
    data = write_video(root / "good.mp4").read_bytes()
    write_video(root / "good.avi")
    (root / "empty.mp4").touch()
    (root / "text.mp4").write_text("no video at all\n" * 50)
    (root / "index lost.mp4").write_bytes(data[: len(data) // 2])
    early = write_video(root / "early.mp4", movflags="faststart").read_bytes()
    (root / "early.mp4").write_bytes(early[: len(early) // 2])
    middle = len(data) // 2
    (root / "hole.mp4").write_bytes(data[:middle] + bytes(len(data) // 10) + data[middle + len(data) // 10 :])
    write_audio(root / "audio.mkv")
    return root


GOOD = ["good.mp4", "good.avi"]
NOT_OPENED = ["empty.mp4", "text.mp4", "index lost.mp4", "none.mp4", "audio.mkv"]
DAMAGED = ["early.mp4", "hole.mp4"]


def test_videos(files):
    names = [*GOOD, *NOT_OPENED, *DAMAGED]
    results = check_clips([(str(files / name), None) for name in names], workers=2)
    assert [result.path for result in results] == [str(files / name) for name in names]
    reasons = dict(zip(names, (result.reason for result in results), strict=True))
    assert [name for name in names if reasons[name] is None] == GOOD
    assert (reasons["empty.mp4"], reasons["none.mp4"]) == ("empty (0 bytes)", "missing")
    assert str(files) not in "".join(reasons[name] or "" for name in names)
    assert [result.frames for result in results] == [40, 40] + 7 * [0]


def test_a_sign_of_life_finds_what_cannot_be_opened(files):
    results = check_clips([(str(files / name), None) for name in [*GOOD, *NOT_OPENED]], first_frame_only=True)
    assert [result.frames for result in results] == [1, 1, 0, 0, 0, 0, 0]
    assert all(result.reason for result in results[2:])


@pytest.mark.parametrize(
    ("suffix", "container"), [("MTS", "mpegts"), ("m2ts", "mpegts"), ("vob", "vob"), ("3g2", "3g2"), ("asf", "asf")]
)
def test_other_containers(tmp_path, suffix, container):
    path = tmp_path / f"a.{suffix}"
    codec = "mpeg2video" if container in ("mpegts", "vob") else "mpeg4"
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for seed in range(5):  # noise, since a demuxer wants some packets to know its format
            image = np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())
    assert path.name.lower().endswith(VIDEO_SUFFIXES)
    (result,) = check_clips([(str(path), None)])
    assert (result.frames, result.reason) == (5, None)


def test_real_clips(clips):
    results = check_clips([(str(clips / name), None) for name in ("demo.mp4", "test.mp4", "test.avi")])
    assert [(result.frames, result.reason) for result in results] == [(280, None), (300, None), (164, None)]


def test_frame_folders(tmp_path):
    good = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8))[1].tobytes()

    def folder(name, **frames):
        (tmp_path / name).mkdir()
        for number in range(1, 4):
            (tmp_path / name / f"{number:05d}.jpg").write_bytes(frames.get(f"f{number}", good))
        return str(tmp_path / name)

    clips = [
        (folder("good"), 3),
        (folder("short"), 4),
        (folder("cut", f2=good[: len(good) // 2]), 3),
        (folder("empty", f3=b""), 3),
        (folder("text", f1=b"text"), 3),
        (folder("gap"), 2),
        (str(tmp_path / "gone"), 3),
        (str(tmp_path / "good" / "00001.jpg"), 3),
        (str(tmp_path / "good"), None),
    ]
    (tmp_path / "gap" / "00002.jpg").unlink()
    seen, told = [], []
    results = check_clips(
        clips,
        workers=2,
        progress=lambda done, total: seen.append((done, total)),
        tell=lambda result: told.append(result.path),
    )
    assert [result.reason for result in results] == [
        None,
        "3 frames, but the list says 4",
        "00002.jpg is empty, cut off or no image",
        "00003.jpg is empty, cut off or no image",
        "00001.jpg is empty, cut off or no image",
        "frame 00002.jpg is missing between others",
        "missing",
        "a file, not a folder of frames",
        "a folder, not a file",
    ]
    assert seen == [(done, 9) for done in range(10)]
    assert sorted(told) == sorted(result.path for result in results[1:])
