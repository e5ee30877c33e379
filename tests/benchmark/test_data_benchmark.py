"""The data benchmark measures frames of every size, compares the pixels, and reports each size and all of them."""

import csv
import importlib.util
from pathlib import Path

import cv2
import pytest

import cgc_video  # noqa: F401  registers the steps
from cgc_video.benchmark import data_files
from cgc_video.benchmark.data_cases import data_cases
from cgc_video.benchmark.data_report import run
from cgc_video.benchmark.data_run import measure_file


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> list[data_files.FrameFolder]:
    """Frames of a small video."""
    folder = tmp_path_factory.mktemp("files")
    data_files._generate(folder / "clip.mp4", (64, 96), 8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_files, "FRAME_SIDES", (100, 256, 512))
        return data_files._extract(folder / "clip.mp4", folder / "frames", "0_clip")


def test_frames_are_extracted_at_each_size(folders):
    assert [folder.side for folder in folders] == [100, 256, 512]
    for path, count, side in folders:
        assert count == len(list(path.iterdir())) == 8
        assert min(cv2.imread(str(path / "img_00008.jpg")).shape[:2]) == side


def test_frames_have_the_stock_pixels_unless_fused(folders):
    cases = {case.name: case for case in data_cases([], [], folders)}
    for index, folder in enumerate(folders):
        for name, stage in {"train-frames": "ours 1 FrameDecode", "train-frames-exact": "ours 6 FrameDecode"}.items():
            row = measure_file(cases[name], index, repeats=1, with_memory=False)
            assert (row.file, row.group, row.difference) == (folder.path.name, f"short side {folder.side}", 0)
            assert row.speedup == pytest.approx(row.stock_ms / row.ours_ms)
            assert {"stock 1 RawFrameDecode", stage} <= set(row.stages)
        fused = measure_file(cases["train-frames-fused"], index, repeats=1, with_memory=False)
        same = (
            folder.side == 256 and importlib.util.find_spec("simplejpeg") is None
        )  # nothing to resize, or to do faster
        assert fused.difference == 0 if same else 0 < fused.difference < 6  # of 255; the clip is noise


def test_a_run_reports_each_size_and_all_of_them(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(data_files, "_GENERATED", {"small.mp4": (48, 64)})
    monkeypatch.setattr(data_files, "FRAME_SIDES", (32, 256))
    lines: list[str] = []
    rows = run([], ["train-frames"], 1, 12, False, {"device": "a CPU"}, tmp_path, lines.append)
    assert [row.file for row in rows] == ["0_small_32", "0_small_256"]
    table = lines[-1].splitlines()
    for label in ("short side 32", "short side 256"):
        assert sum(label in line for line in table) == 1
    assert sum("geometric mean " in line.replace(",", "") + " " for line in table) == 3
    written = [line for line in csv.reader((tmp_path / "data.csv").open()) if not line[0].startswith("#")]
    assert [line[1] for line in written[1:]] == ["0_small_32", "0_small_256"]
    assert "| train-frames | geometric mean |" in (tmp_path / "data.md").read_text()
