"""Every data set that a config names, in miniature, where the configs expect it."""

import shutil
from pathlib import Path

import pytest

from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.datasets.preparation.sthv1 import prepare_sthv1


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory) -> Path:
    """A folder with data/mini_sth, sthv1, sthv2 and kinetics400 below data, 8 training and 4 validation clips each."""
    root = tmp_path_factory.mktemp("configs")
    data = root / "data"
    build_mini(data / "mini_sth", MiniArguments(train=8, val=4, size=64, frames=12), workers=1)
    build_mini(data / "sthv1", MiniArguments(train=8, val=4, size=64, frames=12, format="rawframes"), workers=1)
    prepare_sthv1(data / "sthv1").write(data / "sthv1")
    shutil.copytree(data / "mini_sth" / "videos", data / "kinetics400" / "val")
    shutil.copytree(data / "mini_sth" / "videos", data / "sthv2" / "20bn-something-something-v2")
    for name in ("train", "val"):
        shutil.copy(data / "mini_sth" / f"{name}_list.txt", data / "sthv2")
        rows = (data / "mini_sth" / f"{name}_list.txt").read_text().splitlines()
        (data / "kinetics400" / f"{name}_list.txt").write_text("".join(f"val/{row}\n" for row in rows))
    return root
