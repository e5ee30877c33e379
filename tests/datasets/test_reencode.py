"""Re-encoding: sizes, key frames, times, sound, resumption, faults."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cgc_video.datasets.decoding.mp4_table import Packets
from cgc_video.datasets.decoding.pyav_video import PyAVVideo
from cgc_video.datasets.lists import read_list, write_classes, write_list
from cgc_video.datasets.preparation.reencode import Encoding, find_videos, read_origin, reencode
from cgc_video.errors import UserError
from tools.data.reencode import main


def write_video(path: Path, frames: int = 20, size=(48, 80), times=None, codec: str = "libx264") -> Path:
    """Frames whose grey value rises; ``times``: presentation times in 1/1000 s."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options={"g": "250", "bf": "3"} if codec == "libx264" else {})
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((*size, 3), 10 * index % 256, np.uint8), "rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[index], stream.codec_context.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def read_video(path: Path):
    with av.open(str(path)) as container:
        packets = sum(packet.is_keyframe for packet in container.demux(video=0))
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return packets, frames, len(container.streams)


def test_short_side_key_frames_and_content(tmp_path):
    encoding = Encoding(short_side=32, gop=4)
    assert reencode(write_video(tmp_path / "a.mp4"), tmp_path / "out" / "a.mp4", encoding) == 20
    keys, frames, streams = read_video(tmp_path / "out" / "a.mp4")
    assert (keys, len(frames), streams) == (5, 20, 1)
    assert (frames[0].height, frames[0].width) == (32, 54)  # even, the aspect ratio kept
    grey = [frame.to_ndarray(format="rgb24").mean() for frame in frames]
    np.testing.assert_allclose(grey, [10 * index for index in range(20)], atol=4)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.mp4"]


@pytest.mark.skipif(not hasattr(av.stream.Stream, "index_entries"), reason="PyAV before 17")
def test_the_new_file_is_opened_by_its_tables(tmp_path):
    reencode(write_video(tmp_path / "a.avi", codec="mpeg4"), tmp_path / "a.mp4", Encoding(gop=4))
    with PyAVVideo(tmp_path / "a.mp4") as video:
        assert isinstance(video._index.packets, Packets)
        assert video._index.starts.tolist() == [0, 4, 8, 12, 16]


@pytest.mark.parametrize(
    ("matrix", "colour_range"), [("ITU709", "MPEG"), ("ITU601", "JPEG"), ("ITU709", "JPEG"), ("DEFAULT", "MPEG")]
)
@pytest.mark.parametrize("short_side", [48, 32])
def test_colours_stay_as_they_are(matrix, colour_range, short_side, tmp_path):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :32], image[:, 32:] = (200, 0, 0), (30, 160, 90)
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = {"ITU709": 1, "ITU601": 6, "DEFAULT": 2}[matrix]
        stream.codec_context.color_range = {"MPEG": 1, "JPEG": 2}[colour_range]
        frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(
            format="yuv420p", dst_colorspace=matrix, dst_color_range=colour_range
        )
        out.mux([*stream.encode(frame), *stream.encode(None)])
    reencode(tmp_path / "a.mp4", tmp_path / "b.mp4", Encoding(short_side=short_side, crf=5))
    for name in ("a", "b"):
        with PyAVVideo(tmp_path / f"{name}.mp4") as video:
            frame = video.frames([0])[0]
        height, width = frame.shape[:2]
        colours = [frame[height // 2, width // 4], frame[height // 2, 3 * width // 4]]
        np.testing.assert_allclose(colours, [(200, 0, 0), (30, 160, 90)], atol=4, err_msg=name)


def test_a_small_video_keeps_its_size():
    assert Encoding(short_side=256).size(320, 240) == (320, 240)
    assert Encoding(short_side=256).size(720, 1280) == (256, 456)
    assert Encoding(short_side=256).size(101, 51) == (100, 52)  # rounded to even numbers


def test_times_are_kept(tmp_path):
    times = [0, 40, 60, 200, 205, 300, 1000, 1001]
    reencode(write_video(tmp_path / "a.mkv", 8, times=times), tmp_path / "a.mp4", Encoding())
    _, frames, _ = read_video(tmp_path / "a.mp4")
    assert [round(1000 * (frame.time - frames[0].time)) for frame in frames] == times


def test_tool_goes_on_where_it_stopped_and_names_what_failed(tmp_path, capsys):
    source, target = tmp_path / "in", tmp_path / "out"
    write_video(source / "x" / "a b.webm", codec="libvpx-vp9")
    write_video(source / "b.mp4")
    (source / "bad.mp4").write_bytes(b"not a video")
    write_list(tmp_path / "train_list.txt", [{"filename": "x/a b.webm", "label": 1}, {"filename": "b.mp4", "label": 0}])
    write_classes(tmp_path / "classes.txt", ["one", "two"])
    command = [str(source), str(target), "--jobs", "2", "--lists", str(tmp_path / "train_list.txt")]
    assert main(command) == 1
    printed = capsys.readouterr().out
    assert "failed: bad.mp4 (not a video)" in printed
    assert "3 videos: 2 written, 0 there already, 1 failed" in printed
    assert [entry["filename"] for entry in read_list(target / "train_list.txt")] == ["x/a b.mp4", "b.mp4"]
    assert (target / "classes.txt").read_text() == "one\ntwo\n"
    before = (target / "b.mp4").stat().st_mtime_ns
    assert main(command) == 1
    assert "0 written, 2 there already, 1 failed" in capsys.readouterr().out
    assert (target / "b.mp4").stat().st_mtime_ns == before


@pytest.mark.parametrize("case", ["no folder", "no video", "inside", "twice"])
def test_what_cannot_be_done_is_said_before_anything_is_written(case, tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    if case != "no folder":
        source.mkdir()
    if case == "inside":
        target = source / "fast"
    if case == "twice":
        (source / "a.avi").touch()
        (source / "a.mp4").touch()
    with pytest.raises(
        UserError, match={"inside": "must lie outside", "twice": "would both become a.mp4"}.get(case, "in")
    ):
        find_videos(source, target)
    assert not target.exists()


def test_options_out_of_range_are_named():
    with pytest.raises(UserError, match=r"crf \(99\) must lie in 0 to 51"):
        Encoding(crf=99)


def test_changed_settings_and_sources_are_made_again(tmp_path, capsys):
    source, target = tmp_path / "in", tmp_path / "out"
    write_video(source / "a.mp4", frames=4)
    write_video(source / "b.avi", frames=4, codec="mpeg4")
    command = [str(source), str(target), "--jobs", "1"]
    assert main([*command, "--short-side", "32"]) == 0
    assert read_origin(target / "a.mp4") == {
        "short_side": 32, "gop": 8, "crf": 24, "source_bytes": (source / "a.mp4").stat().st_size,
        "source_mtime_ns": (source / "a.mp4").stat().st_mtime_ns,
    }  # fmt: skip
    assert read_origin(source / "a.mp4") is None
    capsys.readouterr()
    assert main([*command, "--short-side", "16"]) == 0
    assert "2 videos: 2 written (2 again: settings or source changed), 0 there already" in capsys.readouterr().out
    assert read_video(target / "a.mp4")[1][0].height == 16
    write_video(source / "b.avi", frames=6, codec="mpeg4")
    assert main([*command, "--short-side", "16"]) == 0
    assert "2 videos: 1 written (1 again: settings or source changed), 1 there already" in capsys.readouterr().out
    assert len(read_video(target / "b.mp4")[1]) == 6


def test_a_file_of_another_program_is_not_replaced(tmp_path, capsys):
    write_video(tmp_path / "in" / "a.avi", frames=4, codec="mpeg4")
    there = write_video(tmp_path / "out" / "a.mp4", frames=2).read_bytes()
    assert main([str(tmp_path / "in"), str(tmp_path / "out"), "--jobs", "1"]) == 2
    error = capsys.readouterr().err
    assert f"error: {tmp_path / 'out' / 'a.mp4'} does not say how it was made" in error
    assert error.count("\n") == 1
    assert (tmp_path / "out" / "a.mp4").read_bytes() == there


def test_lists_name_only_what_is_there(tmp_path, capsys):
    source, target = tmp_path / "in", tmp_path / "out"
    write_video(source / "good.mp4", frames=4)
    write_video(source / "test.mp4", frames=4)
    (source / "bad.mp4").write_bytes(b"not a video")
    (tmp_path / "val_list.txt").write_text("./good.mp4 0\nbad.mp4 1\ntest.avi 2\n")
    (tmp_path / "test_list.txt").write_text("bad.mp4 1\n")
    lists = [str(tmp_path / "val_list.txt"), str(tmp_path / "test_list.txt")]
    target.mkdir()
    (target / "test_list.txt").write_text("bad.mp4 1\n")
    assert main([str(source), str(target), "--jobs", "1", "--lists", *lists]) == 1
    out = capsys.readouterr().out
    assert f"{lists[0]}: 2 clips left out, not re-encoded: bad.mp4, test.avi\n" in out
    assert f"{lists[1]}: not written, no clip is left: bad.mp4\n" in out
    assert out.endswith(f"Wrote {target / 'val_list.txt'}\n")
    assert read_list(target / "val_list.txt") == [{"filename": "good.mp4", "label": 0}]
    assert not (target / "test_list.txt").exists()


def test_lists_and_target_are_checked_before_the_work(tmp_path, capsys, monkeypatch):
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "a.mp4").write_bytes(b"not a video")
    (tmp_path / "a_list.txt").write_text("a.mp4 0\n")
    (tmp_path / "other.txt").write_text("in/a.mp4 0\n")
    (tmp_path / "dir.txt").write_text("a.mp4 0\n")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a_list.txt").write_text("a.mp4 0\n")
    (target / "dir.txt").mkdir(parents=True)
    (target / "in.txt").write_text("a.mp4 0\n")

    def refused(*lists: str, to: str = "out") -> str:
        assert main([str(source), str(tmp_path / to), "--lists", *(str(tmp_path / name) for name in lists)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    assert "gone.txt) cannot be read" in refused("a_list.txt", "gone.txt")
    assert "none of the 1 clip of" in refused("a_list.txt", "other.txt")
    assert "must be a file, but a folder has that name" in refused("a_list.txt", "dir.txt")
    assert "would both become" in refused("a_list.txt", "x/a_list.txt")
    assert "in.txt would be overwritten; move it out of" in refused("out/in.txt")
    assert "The target (" in (error := refused("a_list.txt", to="a_list.txt"))
    assert "must be a folder" in error
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert "cannot be written: no permission" in refused("a_list.txt")


def test_an_interrupted_run_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").touch()
    monkeypatch.setattr("tools.data.reencode.reencode_all", interrupt)
    assert main([str(tmp_path / "in"), str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "error: interrupted; run the same command again to go on where it stopped.\n"
