"""``CIFAR10`` reads the official archive, packed or not, and nothing else."""

import pickle

import numpy as np
import pytest
from mmaction.registry import DATASETS

from cgc_video.datasets.images import cifar_archive
from cgc_video.errors import UserError
from cgc_video.testing.image_layouts import class_color, write_cifar10


@pytest.fixture
def write(monkeypatch):
    """Write a small CIFAR-10 whose MD5 are taken for the official ones."""

    def write(root, **options):
        for split, files in write_cifar10(root, **options).items():
            monkeypatch.setitem(cifar_archive.FILES, split, files)

    return write


def build(root, split: str = "train", **options):
    return DATASETS.build(dict(type="CIFAR10", data_root=str(root), split=split, pipeline=[], **options))


@pytest.mark.parametrize("packed", [True, False])
def test_images_and_labels(tmp_path, write, packed):
    write(tmp_path, packed=packed)
    train, test = build(tmp_path), build(tmp_path, "test", test_mode=True)
    assert (len(train), len(test)) == (40, 8)
    assert train.metainfo["classes"][3] == "cat"
    for index in (0, 17, 39):
        info = train.get_data_info(index)
        assert info["label"] == (index // 8 + index % 8) % 10
        assert info["img"].shape == (32, 32, 3)
        assert info["img"].dtype == np.uint8
        np.testing.assert_array_equal(info["img"][5, 7], class_color(info["label"]))
        assert info["img_path"] == f"train/{index}"
    info["img"][:] = 0  # transforms may work in place
    assert train.get_data_info(39)["img"].any()
    train.get_subset_([3, 20])
    assert [train.get_data_info(index)["img_path"] for index in range(2)] == ["train/3", "train/20"]


def test_missing_data_says_how_to_get_it(tmp_path):
    for options in ({}, {"lazy_init": True}):
        with pytest.raises(
            UserError, match="holds neither cifar-10-python.tar.gz nor .*; download the 'CIFAR-10 python"
        ):
            build(tmp_path, **options).check_files(10)


def test_files_that_are_not_the_official_ones(tmp_path, write):
    with pytest.raises(UserError, match=r"split \(val\) must be one of"):
        build(tmp_path, "val")
    write_cifar10(tmp_path / "other")
    with pytest.raises(UserError, match=r"data_batch_1 is not the official file \(MD5 [0-9a-f]{32}, not c99cafc1"):
        build(tmp_path / "other")
    write(tmp_path, packed=False)
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").unlink()
    with pytest.raises(UserError, match="cifar-10-batches-py lacks data_batch_3; unpack"):
        build(tmp_path)
    write(tmp_path / "cut")
    archive = tmp_path / "cut" / "cifar-10-python.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(UserError, match="cannot be unpacked"):
        build(tmp_path / "cut")
    archive.write_bytes(b"no archive")
    with pytest.raises(UserError, match="cannot be unpacked"):
        build(tmp_path / "cut")
    with pytest.raises(UserError, match="CIFAR-10 has 10 classes, but model.cls_head.num_classes is 100"):
        build(tmp_path, lazy_init=True).check_files(100)


class Evil:
    """Would run on unpickling."""

    def __reduce__(self):
        return (print, ("run",))


def test_a_pickle_that_would_run_something_is_refused(tmp_path, write, monkeypatch, capsys):
    write(tmp_path, packed=False)
    content = pickle.dumps({"data": Evil(), "labels": []}, protocol=2)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(content)
    monkeypatch.setattr(cifar_archive, "_check_md5", lambda *args: None)  # even if it were the official file
    with pytest.raises(UserError, match="asks for (__builtin__|builtins).print, which no official file does"):
        build(tmp_path, "test")
    assert capsys.readouterr().out == ""


def test_the_official_names_and_sums_are_listed():
    assert [len(files) for files in (cifar_archive.FILES["train"], cifar_archive.FILES["test"])] == [5, 1]
    sums = [md5 for files in cifar_archive.FILES.values() for md5 in files.values()]
    assert len(set(sums)) == 6
    assert all(len(md5) == 32 for md5 in sums)
