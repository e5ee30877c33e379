"""Written clips: every reader sees the frames that were rendered, and no frame type is sharper than another."""

import av
import cv2
import decord
import numpy as np
import pytest

from cgc_video.datasets.mini_sth import video
from cgc_video.datasets.mini_sth.scene import frame_widths, render_clip
from cgc_video.datasets.mini_sth.video import draw_compression, write_jpegs, write_mp4
from cgc_video.errors import UserError

COMPRESSIONS = [
    {"fps": 10, "crf": 16, "gop_size": 1, "b_frames": 0},
    {"fps": 30, "crf": 24, "gop_size": 250, "b_frames": 3},
    {"fps": 12, "crf": 20, "gop_size": 8, "b_frames": 2},
]


def read_with_opencv(path):
    capture, frames = cv2.VideoCapture(str(path)), []
    while (answer := capture.read())[0]:
        frames.append(answer[1][..., ::-1])
    return np.stack(frames), capture.get(cv2.CAP_PROP_FPS)


def read_with_decord(path):
    reader = decord.VideoReader(str(path), num_threads=1)
    return reader.get_batch(range(len(reader))).asnumpy(), reader.get_avg_fps()


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda c: f"gop{c['gop_size']}-b{c['b_frames']}")
@pytest.mark.parametrize("read", [read_with_decord, read_with_opencv])
def test_readers_see_every_frame(tmp_path, read, compression):
    clip = render_clip(np.random.default_rng(0), 0, size=48)
    write_mp4(tmp_path / "clip.mp4", clip, compression)
    frames, fps = read(tmp_path / "clip.mp4")
    assert frames.shape == clip.shape
    assert fps == pytest.approx(compression["fps"])
    error = ((frames.astype(np.float32) - clip) ** 2).mean((1, 2, 3))
    assert (10 * np.log10(255**2 / error)).min() > 25  # dB; frames in another order give under 22


@pytest.mark.parametrize("size", [16, 24, 48, 64])
def test_decord_reads_every_width_in_use(tmp_path, size):
    for width in frame_widths(size):
        clip = np.random.default_rng(0).integers(0, 255, (3, size, width, 3), dtype=np.uint8)
        write_mp4(tmp_path / "clip.mp4", clip, COMPRESSIONS[0])
        assert read_with_decord(tmp_path / "clip.mp4")[0].shape == clip.shape


def test_stream_is_h264_yuv420p(tmp_path):
    write_mp4(tmp_path / "clip.mp4", render_clip(np.random.default_rng(0), 6, size=32), COMPRESSIONS[1])
    with av.open(str(tmp_path / "clip.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_first_frame_is_no_sharper_than_the_others(tmp_path):
    # else one frame tells where a clip starts; x264's own defaults give the first frame 0.6 dB here
    advantages = []
    for seed in range(32):
        rng = np.random.default_rng(seed)
        clip = render_clip(rng, seed % 8, size=64, frames=12)
        write_mp4(tmp_path / "clip.mp4", clip, draw_compression(rng) | {"gop_size": 250})
        error = ((read_with_decord(tmp_path / "clip.mp4")[0].astype(np.float32) - clip) ** 2).mean((1, 2, 3))
        advantages.append(10 * np.log10(error[1:].mean() / error[0]))
    assert abs(np.mean(advantages)) < 0.5


def test_compression_varies():
    drawn = [draw_compression(np.random.default_rng(seed)) for seed in range(60)]
    for key in ("fps", "crf", "gop_size", "b_frames"):
        assert len({settings[key] for settings in drawn}) >= 4, key


def test_jpegs_are_named_and_close(tmp_path):
    clip = render_clip(np.random.default_rng(1), 4, size=32)
    write_jpegs(tmp_path / "7", clip)
    names = sorted(path.name for path in (tmp_path / "7").iterdir())
    assert names == [f"{number:05d}.jpg" for number in range(1, len(clip) + 1)]
    frame = cv2.imread(str(tmp_path / "7" / "00001.jpg"))[..., ::-1]
    assert np.abs(frame.astype(np.float32) - clip[0]).mean() < 8


def test_missing_encoder_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(video.av, "codecs_available", {"mpeg4"})
    with pytest.raises(UserError, match="has no libx264 encoder; take the wheel"):
        write_mp4(tmp_path / "clip.mp4", np.zeros((2, 16, 18, 3), dtype=np.uint8), COMPRESSIONS[0])
