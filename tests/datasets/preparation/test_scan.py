"""Looking at trees of files without opening any."""

import os
import time

from cgc_video.datasets.preparation.folder import prepare_folder
from cgc_video.datasets.preparation.scan import scan_files


def test_links_are_followed_once_and_hidden_files_passed_over(tmp_path):
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "1.mp4").write_bytes(b"xyz")
    (tmp_path / "data" / "a" / ".1.mp4").touch()
    (tmp_path / "data" / "a" / "1.txt").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "2.MP4").touch()
    (tmp_path / "data" / "b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "a" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "a" / "gone.mp4").symlink_to(tmp_path / "nothing.mp4")
    seen = []
    found = sorted(scan_files(tmp_path / "data", (".mp4",), seen.append))
    assert found == [("a/1.mp4", 3), ("a/gone.mp4", None), ("b/2.MP4", 0)]
    assert seen == [1, 2, 3]


def test_twenty_thousand_files_take_seconds_and_none_is_opened(tmp_path, monkeypatch):
    """240,000 files, the size of Kinetics-400, are twelve times this; the rate is printed by ``pytest -s``."""
    for name in range(20):
        folder = tmp_path / f"class_{name}"
        folder.mkdir()
        for number in range(1000):
            os.mknod(folder / f"{number:04d}.mp4")
    os.truncate(tmp_path / "class_0" / "0000.mp4", 1)
    start = time.perf_counter()
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", None)
        preparation = prepare_folder(tmp_path)
    seconds = time.perf_counter() - start
    print(f"{20_000 / seconds:,.0f} files a second")
    assert sum(report.listed for report in preparation.reports) == 20_000
    assert sum(len(report.left_out["empty"]) for report in preparation.reports) == 19_999
    assert seconds < 20
