"""Every data set that a config names, in miniature, where the configs expect it."""

import shutil
from pathlib import Path

import pytest

from cgc_video.datasets.digits import write_digits
from cgc_video.datasets.mini_sth.build import build_mini
from cgc_video.datasets.mini_sth.layout import MiniArguments
from cgc_video.datasets.preparation.sthv1 import prepare_sthv1
from cgc_video.testing.image_layouts import write_cifar10, write_imagenet, write_objectnet


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory) -> Path:
    """A folder with the data of every config below ``data``; of each video data set 8 training and 4 validation clips."""
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
    write_imagenet(data / "imagenet", train_per_class=1)
    write_objectnet(data / "objectnet-1.0")
    write_cifar10(data / "cifar10", packed=False)
    write_digits(data / "digits")
    return root


@pytest.fixture(autouse=True)
def _any_cifar10(monkeypatch):
    """The official files are known by their MD5, which those above cannot have."""
    monkeypatch.setattr("cgc_video.datasets.images.cifar_archive._check_md5", lambda *args: None)
