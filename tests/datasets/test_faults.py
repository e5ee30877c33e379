"""Files that cannot be decoded: replaced in training, an error or a flagged stand-in in testing."""

import uuid
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.faults import COUNTED_WRONG, SKIPPED, SOURCE_FILE
from cgc_video.errors import UserError

OURS, STOCK = ("VideoOpen", "VideoDecode"), ("DecordInit", "DecordDecode")
BAD = ("missing", "empty", "text", "cut")


def write_video(path: Path, frames: int = 6) -> None:
    """Frame ``i`` has the grey level ``20 + 30 * i``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(8))
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for index in range(frames):
            image = np.full((32, 32, 3), 20 + 30 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def listed(tmp_path) -> Callable[..., Path]:
    """Write a list of good and broken videos, the broken ones spread among the others, and return its path."""
    write_video(tmp_path / "good.mp4")
    data = (tmp_path / "good.mp4").read_bytes()
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("this is no video\n" * 20)
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])

    def write(good: int, bad: tuple[str, ...] = BAD) -> Path:
        names = [f"good{number}.mp4" for number in range(good)]
        for name in names:
            (tmp_path / name).write_bytes(data)
        for position, name in enumerate(bad):
            names.insert(2 * position, f"{name}.mp4")
        path = tmp_path / "list.txt"
        path.write_text("".join(f"{name} {label % 3}\n" for label, name in enumerate(names)))
        return path

    return write


def build(path: Path, steps: tuple[str, str] = OURS, clip_len: int = 1, pack: bool = True, **options):
    pipeline = [
        dict(type=steps[0]),
        dict(type="SampleFrames", clip_len=clip_len, frame_interval=1, num_clips=1),
        dict(type=steps[1]),
        dict(type="FormatShape", input_format="NCHW"),
        *([dict(type="PackActionInputs")] if pack else []),
    ]
    prefix = dict(video=str(path.parent))
    with DefaultScope.overwrite_default_scope("mmaction"):
        return DATASETS.build(
            dict(type="ListedVideos", ann_file=str(path), data_prefix=prefix, pipeline=pipeline, **options)
        )


@pytest.fixture
def log(tmp_path):
    """Lines that the current logger writes, those of loader workers included."""
    name = f"faults_{uuid.uuid4().hex[:6]}"
    logger = MMLogger.get_instance(name, log_file=str(tmp_path / "log.txt"))
    yield lambda: [line for line in (tmp_path / "log.txt").read_text().splitlines() if "cannot be decoded" in line]
    for handler in logger.handlers:
        handler.close()
    del MMLogger._instance_dict[name]


def first(samples):
    return samples


@pytest.mark.parametrize("steps", [OURS, STOCK], ids=["ours", "mmaction2"])
def test_training_replaces_bad_files_and_names_each_once(listed, log, steps):
    dataset = build(listed(12), steps, max_bad_share=0.5)
    loader = DataLoader(dataset, batch_size=2, num_workers=2, collate_fn=first)
    for _ in range(2):  # workers are started anew for each epoch
        samples = [sample for batch in loader for sample in batch]
        assert len(samples) == 16
        assert all(sample["inputs"].shape == (1, 3, 32, 32) for sample in samples)
    for name in BAD:
        lines = [line for line in log() if f"{name}.mp4 cannot be decoded: " in line]
        assert len(lines) == 1, log()
        assert "WARNING" in lines[0]
    assert len(log()) == 4
    assert [Path(path).stem for path in dataset.bad_files] == list(BAD)


def test_a_known_bad_file_is_not_decoded_again(listed, log, monkeypatch):
    dataset = build(listed(4, ("text",)), max_bad_share=0.5)
    assert dataset.prepare_data(0) is None
    monkeypatch.setattr(dataset, "pipeline", None)  # decoding would fail
    assert dataset.prepare_data(0) is None
    assert dataset.prepare_data(-5) is None
    assert len(log()) == 1
    with pytest.raises(TypeError):  # a defect of the program is none of the file
        dataset.prepare_data(1)


def test_training_stops_above_the_share(listed):
    dataset = build(listed(16), max_bad_share=0.1)  # 2 of 20 are allowed
    assert dataset.prepare_data(0) is None
    assert dataset.prepare_data(2) is None
    with pytest.raises(
        UserError, match=r"3 of 20 files \(15.0%\) cannot be decoded, .*max_bad_share \(10.0%\)"
    ) as caught:
        dataset.prepare_data(4)
    for text in (
        "missing.mp4",
        "empty.mp4",
        "text.mp4",
        "tools/data/check.py LIST --write-clean",
        "raise train_dataloader.dataset",
    ):
        assert text in str(caught.value)
    assert build(listed(9, ("text",))).prepare_data(0) is None  # the default allows a tenth
    with pytest.raises(UserError, match="1 of 9 files"):
        build(listed(8, ("text",))).prepare_data(0)


def test_at_most_ten_paths_are_named(listed):
    dataset = build(listed(0, BAD * 3), max_bad_share=0.9)
    for index in range(10):
        assert dataset.prepare_data(index) is None
    with pytest.raises(UserError, match=r"11 of 12 files .* and 1 more; make a clean list"):
        dataset.prepare_data(10)


def test_no_good_file_at_all(listed):
    dataset = build(listed(0), max_bad_share=1)
    with pytest.raises(UserError, match="none of the 4 files can be decoded"):
        _ = dataset[0]


def test_copies_of_a_data_set_share_their_notes(listed, log, tmp_path):
    """As the ranks of a training do: each file is noted once, the share is that of all, and replacements are counted."""
    ranks = [build(listed(16), max_bad_share=0.15) for _ in range(2)]  # 3 of 20 are allowed
    notes = [dataset.note_faults(tmp_path / "notes.jsonl") for dataset in ranks][0]
    assert [ranks[0].prepare_data(index) for index in (0, 2, 0)] == [None] * 3
    assert [ranks[1].prepare_data(index) for index in (2, 4)] == [None] * 2
    assert log() == []
    assert [(Path(fault.file).stem, fault.reason.split(" ")[0]) for fault in notes.read_new()] == [
        ("missing", "missing"),
        ("empty", "empty"),
        ("text", "not"),
    ]
    assert notes.read_new() == []
    assert [{Path(k).stem: v for k, v in rank.replacements.items()} for rank in ranks] == [
        {"missing": 2, "empty": 1},
        {"empty": 1, "text": 1},
    ]
    with pytest.raises(
        UserError, match=r"4 of 20 files .*cut.mp4, .*empty.mp4, .*missing.mp4, .*text.mp4; make a clean"
    ):
        ranks[1].prepare_data(6)


def test_notes_that_cannot_be_written_are_logged(listed, log, tmp_path):
    dataset = build(listed(16), max_bad_share=0.5)
    dataset.note_faults(tmp_path / "gone" / "notes.jsonl")
    assert dataset.prepare_data(0) is None
    assert len(log()) == 1


def test_samples_say_what_they_were_made_of(listed):
    dataset = build(listed(2, ()))
    assert Path(dataset[1]["data_samples"].metainfo[SOURCE_FILE]).name == "good1.mp4"


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_is_in_0_to_1(listed, share):
    with pytest.raises(UserError, match=r"max_bad_share \(.*\) must be a share of the files, in 0..1"):
        build(listed(1, ()), max_bad_share=share)


@pytest.mark.parametrize("steps", [OURS, STOCK], ids=["ours", "mmaction2"])
def test_testing_names_the_bad_file(listed, steps):
    dataset = build(listed(4), steps, test_mode=True)
    for index, name in zip((0, 2, 4, 6), BAD, strict=True):
        with pytest.raises(DecodeError, match=rf"{name}.mp4 cannot be decoded: .*check.py.*skip_bad=True"):
            _ = dataset[index]
    assert SKIPPED not in dataset[1]["data_samples"]


def test_skip_bad_hands_over_the_next_good_sample_flagged(listed, log):
    dataset = build(listed(4, ("text", "empty")), test_mode=True, skip_bad=True)  # text, 0, empty, 1, 2, 3
    for _ in range(2):
        for index, (name, label) in {0: ("text", 1), 2: ("empty", 0)}.items():
            sample = dataset[index]["data_samples"]
            assert Path(sample.get(SKIPPED)).stem == name
            assert int(sample.gt_label) == label
        assert SKIPPED not in dataset[1]["data_samples"]
    assert len(log()) == 2
    assert all("left out" in line for line in log())


def test_bad_counts_as_wrong_hands_over_the_label_of_the_bad_file(listed, log):
    dataset = build(listed(4, ("text", "empty")), test_mode=True, bad_counts_as_wrong=True)  # text, 0, empty, 1, 2, 3
    for index, name in {0: "text", 2: "empty"}.items():
        sample = dataset[index]["data_samples"]
        assert Path(sample.get(COUNTED_WRONG)).stem == name
        assert SKIPPED not in sample
        assert int(sample.gt_label) == index % 3
    assert COUNTED_WRONG not in dataset[1]["data_samples"]
    assert len(log()) == 2
    assert all("counted as wrong" in line for line in log())
    with pytest.raises(UserError, match="skip_bad and bad_counts_as_wrong cannot both be true"):
        build(listed(1, ()), skip_bad=True, bad_counts_as_wrong=True)


def test_the_stand_in_of_the_last_sample_is_at_the_start(listed):
    dataset = build(listed(1, ("text",)), test_mode=True, skip_bad=True)
    assert int(dataset[0]["data_samples"].gt_label) == 1
    other = build(listed(0), test_mode=True, skip_bad=True)
    with pytest.raises(UserError, match="none of the 4 files can be decoded"):
        _ = other[3]


def test_skip_bad_needs_data_samples(listed):
    dataset = build(listed(1, ("text",)), pack=False, test_mode=True, skip_bad=True)
    with pytest.raises(UserError, match="end it with PackActionInputs"):
        _ = dataset[0]


def test_a_subset_counts_its_own_files(listed):
    dataset = build(listed(12), max_bad_share=0.5)
    assert dataset.prepare_data(0) is None
    subset = dataset.get_subset([2, 3, 5])
    assert subset.prepare_data(0) is None
    assert [Path(path).stem for path in subset.bad_files] == ["empty"]
    assert [Path(path).stem for path in dataset.bad_files] == ["missing"]
    dataset.get_subset_([1, 4, 5])
    assert dataset.bad_files == []


def test_frame_folders(tmp_path):
    import cv2

    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        for number in (1, 2):
            cv2.imwrite(str(tmp_path / name / f"img_{number:05d}.jpg"), np.full((32, 32, 3), 90, np.uint8))
    (tmp_path / "b" / "img_00002.jpg").write_bytes(b"")
    (tmp_path / "list.txt").write_text("a 2 0\nb 2 1\nc 2 2\nnone 2 0\n")
    sample = dict(type="SampleFrames", clip_len=2, frame_interval=1, num_clips=1)
    for step in ("FrameDecode", "RawFrameDecode"):
        pipeline = [sample, dict(type=step), dict(type="PackActionInputs")]
        options = dict(ann_file=str(tmp_path / "list.txt"), data_prefix=dict(img=str(tmp_path)), max_bad_share=0.5)
        with DefaultScope.overwrite_default_scope("mmaction"):
            dataset = DATASETS.build(dict(type="ListedFrames", pipeline=pipeline, **options))
        assert [dataset.prepare_data(index) is None for index in (1, 3)] == [True, True]
        assert [Path(path).name for path in dataset.bad_files] == ["b", "none"]


def test_a_clip_longer_than_its_video_starts_over(listed):
    """6 frames, 8 asked for: frames 0 to 5, then 0 and 1."""
    dataset = build(listed(1, ()), clip_len=8, max_bad_share=0)
    frames = dataset[0]["inputs"].float().mean(dim=(1, 2, 3))
    np.testing.assert_array_equal(frames[6:], frames[:2])
    np.testing.assert_allclose(frames[:6], 20 + 30 * np.arange(6), atol=4)
