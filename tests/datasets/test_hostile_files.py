"""What the tests in tests/fuzz once found in the readers of the data sets, one case each."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from cgc_video.datasets.decoding.container import check_file
from cgc_video.datasets.decoding.errors import DecodeError
from cgc_video.datasets.decoding.frame_names import read_frame_folder
from cgc_video.datasets.decoding.jpeg import decode_image
from cgc_video.datasets.images.label_files import read_label_file, read_synsets
from cgc_video.datasets.images.objectnet import read_mappings
from cgc_video.datasets.lists import read_classes, read_list
from cgc_video.datasets.preparation.folder import prepare_folder
from cgc_video.datasets.preparation.sthv2 import prepare_sthv2
from cgc_video.datasets.preparation.table import read_table
from cgc_video.errors import UserError
from cgc_video.testing.image_layouts import write_imagenet, write_objectnet

LONG_CELL = "x" * 200_000  # the csv module has a limit
DEEP = "[" * 100_000


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\0.mp4 0", r"line 1 \('a\\x00.mp4 0'\): filename must have no NUL character"),
        (
            "a.mp4 " + "9" * 5000,
            "label must be a number of at most 18 digits",
        ),  # Python turns no more than 4300 into one
    ],
)
def test_lists(tmp_path, line, message):
    with pytest.raises(UserError, match=message):
        read_list(write(tmp_path / "list.txt", line))


def test_class_files(tmp_path):
    with pytest.raises(UserError, match=r"classes.txt, line 2 \('b\\x00'\): a class name must have no NUL character"):
        read_classes(write(tmp_path / "classes.txt", "a\nb\0\n"))


def test_names_that_no_file_can_have(tmp_path):
    with pytest.raises(DecodeError, match="not readable"):
        check_file(tmp_path / "a\0.mp4")
    for name in ("a\0", "x" * 300):
        with pytest.raises(FileNotFoundError):
            read_frame_folder(tmp_path / name)
    (tmp_path / "a.mp4").write_bytes(b"x")
    table = write(tmp_path / "table.csv", "a.mp4,left\na\0.mp4,right\n")
    report = prepare_folder(tmp_path, table, shares={}).reports[0]
    assert [entry["filename"] for entry in report.entries] == ["a.mp4"]


def test_tables(tmp_path):
    with pytest.raises(UserError, match=r"table.csv, line 2: field larger than field limit"):
        read_table(write(tmp_path / "table.csv", f"a.mp4,left\n{LONG_CELL},right\n"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train.json", DEEP, "train.json is not JSON"),
        ("labels.json", '{"Going left": Infinity}', "labels.json must map each class name to its index"),
        ("test-answers.csv", f"1;{LONG_CELL}", "test-answers.csv, line 1: field larger than field limit"),
    ],
)
def test_something_something_v2(tmp_path, name, text, message):
    (tmp_path / "20bn-something-something-v2").mkdir()
    write(tmp_path / "labels.json", '{"Going left": "0"}')
    write(tmp_path / "train.json", '[{"id": "1", "template": "Going left"}]')
    write(tmp_path / name, text)
    with pytest.raises(UserError, match=message):
        prepare_sthv2(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("folder_to_objectnet_label.json", "[]", "must hold a JSON object"),
        ("folder_to_objectnet_label.json", DEEP, "is no JSON file"),
        ("objectnet_to_imagenet_1k.json", '{"Chair": 1}', "'Chair' must have a name"),
        ("pytorch_to_imagenet_2012_id.json", '{"a": 0}', "must map numbers to numbers"),
        ("pytorch_to_imagenet_2012_id.json", '{"0": Infinity}', "must map numbers to numbers"),
    ],
)
def test_mappings_of_objectnet(tmp_path, name, text, message):
    write_objectnet(tmp_path)
    with pytest.raises(UserError, match=f"{name}.* {message}"):
        read_mappings(write(tmp_path / "mappings" / name, text).parent)


def test_mappings_that_are_no_text(tmp_path):
    write_objectnet(tmp_path)
    path = tmp_path / "mappings" / "imagenet_to_label_2012_v2"
    path.write_bytes(b"\xff\n")
    with pytest.raises(UserError, match="imagenet_to_label_2012_v2 must be UTF-8 text"):
        read_mappings(path.parent)


def test_label_files_of_imagenet(tmp_path):
    write_imagenet(tmp_path, train_per_class=1)
    kaggle = write(tmp_path / "LOC_val_solution.csv", f"ImageId,PredictionString\na,{LONG_CELL}\n")
    with pytest.raises(UserError, match="LOC_val_solution.csv, line .: field larger than field limit"):
        read_label_file(kaggle, tmp_path / "val")
    truth = tmp_path / "ILSVRC2012_devkit_t12" / "data" / "ILSVRC2012_validation_ground_truth.txt"
    with pytest.raises(UserError, match="line 1 .*not one of the"):
        read_label_file(write(truth, "9" * 5000), tmp_path / "val")


def test_a_damaged_meta_mat_over_which_its_reader_dies(tmp_path):
    write_imagenet(tmp_path, train_per_class=1)
    meta = tmp_path / "ILSVRC2012_devkit_t12" / "data" / "meta.mat"
    data = bytearray(meta.read_bytes())
    assert len(read_synsets(meta)) > 1
    data[520] += 4  # the length of an element: scipy 1.15 reads on beyond its memory
    meta.write_bytes(data)
    with pytest.raises(UserError, match="meta.mat is not the meta.mat .*; unpack the kit again"):
        read_synsets(meta)


@pytest.mark.parametrize("ids", [[], [1, 2, 4]])
def test_a_meta_mat_whose_classes_have_other_numbers(tmp_path, ids):
    meta = tmp_path / "meta.mat"
    kind = [("ILSVRC2012_ID", int), ("WNID", object), ("num_children", int)]
    savemat(str(meta), {"synsets": np.array([(number, f"n{number:08}", 0) for number in ids], kind)})
    with pytest.raises(UserError, match=rf"meta.mat is not .* \(its {len(ids)} classes are not numbered from 1 on\)"):
        read_synsets(meta)


@pytest.mark.parametrize("label", ["100000", "9" * 5000])
def test_labels_that_number_no_classes(tmp_path, label):
    (tmp_path / "1.mp4").write_bytes(b"a video")
    table = write(tmp_path / "table.csv", f"file,label\n1.mp4,{label}\n")
    with pytest.raises(UserError, match=r"table.csv holds the label [0-9]{6,20}; labels count the classes from 0"):
        prepare_folder(tmp_path, table)


def test_a_bitmap_of_an_absurd_size(tmp_path):
    ok, data = cv2.imencode(".bmp", np.zeros((2, 2, 3), np.uint8))
    data = bytearray(data.tobytes())
    data[18:22] = (2**30).to_bytes(4, "little")  # the width
    path = tmp_path / "img_00001.bmp"
    path.write_bytes(data)
    with pytest.raises(DecodeError, match=r"img_00001.bmp cannot be decoded: damaged \(OpenCV"):
        decode_image(path, "cv2")
