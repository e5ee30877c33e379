"""Something-Something v2: both ways in which its JSON files are shipped."""

import json

import pytest

from cgc_video.datasets.lists import read_list
from cgc_video.datasets.preparation.sthv2 import prepare_sthv2
from cgc_video.errors import UserError

LABELS = {"Holding something": "1", "Closing something": "0", "Moving something and something closer": "2"}
TRAIN = [
    {"id": "78687", "label": "holding potato", "template": "Holding [something]", "placeholders": ["potato"]},
    {"id": "42", "label": "", "template": "Moving [something] and [something] closer", "placeholders": []},
    {"id": "43", "template": "Closing [something]"},
    {"id": "44", "template": "Closing [something]"},
    {"id": "45", "template": "Eating [something]"},
]


def make_sthv2(root, folder="", prefix="something-something-v2-"):
    (root / folder).mkdir(parents=True, exist_ok=True)
    files = dict(
        labels=LABELS, train=TRAIN, validation=[{"id": "7", "template": "Closing [something]"}], test=[{"id": "8"}]
    )
    for name, content in files.items():
        (root / folder / f"{prefix}{name}.json").write_text(json.dumps(content))
    videos = root / "20bn-something-something-v2"
    videos.mkdir()
    for name in ("78687", "42", "45", "7", "8"):
        (videos / f"{name}.webm").write_bytes(b"x")
    (videos / "43.webm").touch()
    return root


@pytest.mark.parametrize(("folder", "prefix"), [("", "something-something-v2-"), ("labels", "")], ids=["2017", "2021"])
def test_lists_what_is_there_and_reports_the_rest(tmp_path, folder, prefix):
    preparation = prepare_sthv2(make_sthv2(tmp_path, folder, prefix))
    assert [path.name for path in preparation.write(tmp_path)] == ["train_list.txt", "val_list.txt", "classes.txt"]
    assert (tmp_path / "train_list.txt").read_text() == "78687.webm 1\n42.webm 2\n"
    assert read_list(tmp_path / "val_list.txt", num_classes=3) == [{"filename": "7.webm", "label": 0}]
    assert preparation.classes == ["Closing something", "Holding something", "Moving something and something closer"]
    train = preparation.reports[0]
    assert train.left_out == {"missing": ["44.webm"], "empty": ["43.webm"], "of an unknown class": ["45.webm"]}
    assert train.lines()[0] == "train: 5 listed, 2 found (40.0 %), 1 missing, 1 empty, 1 of an unknown class"


def test_answers_of_the_test_split(tmp_path):
    make_sthv2(tmp_path, "labels", "")
    (tmp_path / "labels" / "test-answers.csv").write_text("8;Holding something\n9;Closing something\n")
    preparation = prepare_sthv2(tmp_path)
    preparation.write(tmp_path / "lists")
    assert (tmp_path / "lists" / "test_list.txt").read_text() == "8.webm 1\n"
    assert preparation.reports[2].left_out["missing"] == ["9.webm"]


def test_errors_name_the_file(tmp_path):
    with pytest.raises(UserError, match="20bn-something-something-v2 is not there"):
        prepare_sthv2(tmp_path)
    root = make_sthv2(tmp_path)

    def write(name, text):
        (root / f"something-something-v2-{name}.json").write_text(text)

    write("train", "[{")
    with pytest.raises(UserError, match=r"train.json is not JSON \(.*\); download it again"):
        prepare_sthv2(root)
    write("train", '[{"id": "1"}]')
    with pytest.raises(UserError, match="train.json, item 0: an item must hold 'id' and 'template'"):
        prepare_sthv2(root)
    write("train", "{}")
    with pytest.raises(UserError, match="train.json must hold a JSON array"):
        prepare_sthv2(root)
    write("train", '[{"id": "1", "template": "Holding [something]"}]')
    write("validation", "[]")
    with pytest.raises(UserError, match="The only clip .* is missing; unpack the videos there"):
        prepare_sthv2(root).write(root)
    for text, message in ((b"8\n", "line 1 .*: a line must read 'id;class name'"), (b"8;\xff", "must be UTF-8 text")):
        (root / "something-something-v2-test-answers.csv").write_bytes(text)
        with pytest.raises(UserError, match=f"test-answers.csv.* {message}"):
            prepare_sthv2(root)
    (root / "something-something-v2-test-answers.csv").unlink()
    for labels, message in (('{"a": "x"}', "must map each class name to its index"), ('{"a": "1"}', "must be 0 to 0")):
        write("labels", labels)
        with pytest.raises(UserError, match=message):
            prepare_sthv2(root)
    (root / "something-something-v2-labels.json").unlink()
    with pytest.raises(UserError, match="labels.json is not there"):
        prepare_sthv2(root)
