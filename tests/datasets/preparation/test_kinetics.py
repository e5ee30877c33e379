"""Kinetics: every way in which copies lay out and name what the CSV files list."""

import pytest

from cgc_video.datasets.lists import read_classes, read_list
from cgc_video.datasets.preparation.kinetics import prepare_kinetics
from cgc_video.errors import UserError

HEADER = "label,youtube_id,time_start,time_end,split\n"
ROWS = {
    "train": ["zumba,aaaaaaaaaaa,0,10", '"petting animal (not cat)",bb_bbbb-bbb,12,22', "massaging person's head,ccccccccccc,5,15"],
    "validate": ["massaging person's head,ddddddddddd,118,128"],
    "test": ["zumba,eeeeeeeeeee,1,11"],
}  # fmt: skip
NAMES = ["aaaaaaaaaaa_000000_000010.mp4", "bb_bbbb-bbb_000012_000022.mp4", "ddddddddddd_000118_000128.mp4"]


def make_kinetics(root, paths, rows):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    for split in ("train", "validate", "test"):
        lines = [f"{row},{split}\n" for row in rows.get(split, [])]
        (root / "annotations" / f"{split}.csv").write_text(HEADER + "".join(lines))
    return root


LAYOUTS = {
    "flat": ("train", "train", "val"),
    "underscores": (
        "videos_train/zumba",
        "videos_train/petting_animal_(not_cat)",
        "videos_val/massaging_person's_head",
    ),
    "spaces": ("train/zumba", "train/petting animal (not cat)", "val/massaging person's head"),
    "no punctuation": ("train/zumba", "train/petting_animal_not_cat", "val/massaging_persons_head"),
}


@pytest.mark.parametrize("folders", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout(tmp_path, folders):
    paths = [f"{folder}/{name}" for folder, name in zip(folders, NAMES, strict=True)]
    make_kinetics(tmp_path, [*paths, "train/fffffffffff_000000_000010.mp4"], ROWS)
    preparation = prepare_kinetics(tmp_path)
    preparation.write(tmp_path)
    assert read_classes(tmp_path / "classes.txt") == ["massaging person's head", "petting animal (not cat)", "zumba"]
    expected = [{"filename": paths[0], "label": 2}, {"filename": paths[1], "label": 1}]
    assert read_list(tmp_path / "train_list.txt", num_classes=3) == expected
    assert read_list(tmp_path / "val_list.txt") == [{"filename": paths[2], "label": 0}]
    train, val = preparation.reports
    assert (train.listed, train.left_out["missing"]) == (3, ["ccccccccccc_000005_000015"])
    assert (val.listed, val.left_out["missing"]) == (1, [])
    assert train.lines()[0] == "train: 3 listed, 2 found (66.7 %), 1 missing, 0 empty"
    assert preparation.notes == [
        "note: 1 test clip is listed, but none usable, so there is no list of them",
        "note: 1 video is in no CSV file and left alone: train/fffffffffff_000000_000010.mp4",
    ]
    again = prepare_kinetics(tmp_path)  # a second run sees its own lists and changes nothing
    assert [report.entries for report in again.reports] == [report.entries for report in preparation.reports]


def test_copies_empty_files_and_bare_ids(tmp_path):
    paths = [
        f"train/{NAMES[0]}",
        f"replacement/{NAMES[0]}",
        f"train/{NAMES[1]}",
        "val/zumba/ddddddddddd.mp4",
        "test/eeeeeeeeeee.mp4",
    ]
    make_kinetics(tmp_path, paths, ROWS)
    (tmp_path / paths[0]).write_bytes(b"")
    (tmp_path / paths[2]).write_bytes(b"")
    preparation = prepare_kinetics(tmp_path)
    train, val, test = preparation.reports
    assert [entry["filename"] for entry in train.entries] == [f"replacement/{NAMES[0]}"]  # the whole copy
    assert train.left_out["empty"] == ["bb_bbbb-bbb_000012_000022"]
    assert [entry["filename"] for entry in val.entries + test.entries] == paths[3:]
    assert preparation.notes == [
        "note: 1 video lies in the folder of another class than the CSV's: val/zumba/ddddddddddd.mp4"
    ]


def test_named_tables(tmp_path):
    root = make_kinetics(tmp_path, [f"val/{NAMES[2]}"], ROWS)
    preparation = prepare_kinetics(root, [root / "annotations" / "validate.csv"])
    assert [report.listed for report in preparation.reports] == [0, 1]
    assert [path.name for path in preparation.write(root)] == ["val_list.txt", "classes.txt"]


def test_errors_name_the_file(tmp_path):
    with pytest.raises(UserError, match="none is not a folder"):
        prepare_kinetics(tmp_path / "none")
    (tmp_path / "notes.csv").write_text("a,b\n")
    with pytest.raises(UserError, match="No CSV file below .* has the header label,youtube_id"):
        prepare_kinetics(tmp_path)
    with pytest.raises(UserError, match="notes.csv lacks the column label"):
        prepare_kinetics(tmp_path, [tmp_path / "notes.csv"])
    with pytest.raises(UserError, match="gone.csv cannot be read: No such file"):
        prepare_kinetics(tmp_path, [tmp_path / "gone.csv"])
    make_kinetics(tmp_path, [], ROWS)
    with pytest.raises(UserError, match="None of the 4 clips .* usable, 4 are missing; download or unpack the videos"):
        prepare_kinetics(tmp_path).write(tmp_path)
    (tmp_path / "annotations" / "train.csv").write_text(HEADER + "abseiling,ccccccccccc,soon,15,train\n")
    with pytest.raises(UserError, match=r"train.csv, line 2 \('soon', '15'\): time_start and time_end must be seconds"):
        prepare_kinetics(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "zumba,aaaaaaaaaaa,0,10",
            r"line 3 \('zumba,aaaaaaaaaaa,0,10'\): a row must have 5 columns as the header has, not 4",
        ),
        ("a, b,aaaaaaaaaaa,0,10,train", "line 3 .*: a row must have 5 columns as the header has, not 6"),
        ("zumba,aaaaaaaaaaa,0,10,dev", r"line 3: split \('dev'\) must be train, val, validate or test; correct"),
        ("zumba,aaaaaaaaaaa,0,inf,train", "line 3 .*: time_start and time_end must be seconds"),
        (",aaaaaaaaaaa,0,10,train", "line 3 .*: label is empty"),
        ("zumba,,0,10,train", "line 3 .*: youtube_id is empty"),
    ],
)
def test_a_broken_row_is_named(tmp_path, row, message):
    (tmp_path / "train.csv").write_text(f"{HEADER}zumba,bbbbbbbbbbb,0,10,train\n{row}\n")
    with pytest.raises(UserError, match=message):
        prepare_kinetics(tmp_path)


def test_case_and_spaces_of_header_and_split_do_not_matter(tmp_path):
    header = "Label, YouTube_ID,time_start,time_end,Split\n"
    (tmp_path / "train.csv").write_text(
        f"{header}zumba,aaaaaaaaaaa,0,10,Train\n\nzumba,ddddddddddd,118,128, VALIDATE\n"
    )
    assert [report.listed for report in prepare_kinetics(tmp_path).reports] == [1, 1]


def test_a_table_that_would_not_be_found_is_named(tmp_path):
    make_kinetics(tmp_path, [f"train/{NAMES[0]}"], ROWS)
    (tmp_path / "k400_labels.csv").write_text("id,name\n0,zumba\n")
    (tmp_path / "test.csv").write_text("youtube_id,time_start,time_end,split\neeeeeeeeeee,1,11,test\n")
    notes = prepare_kinetics(tmp_path).notes
    assert notes[0] == "note: 2 such CSV files were left alone: k400_labels.csv, test.csv (it has no labels)"
    for first in ("zumba,ccccccccccc,5,15,train", "label,youtube_id,start,end,split"):
        (tmp_path / "more.csv").write_text(first + "\n")
        with pytest.raises(
            UserError, match=r"more.csv has no header label,.* in its first line \('.*'\); add or mend it"
        ):
            prepare_kinetics(tmp_path)
    (tmp_path / "more.csv").rename(tmp_path / "train.csv")
    with pytest.raises(UserError, match="train.csv has no header"):
        prepare_kinetics(tmp_path)


def test_a_table_in_another_encoding(tmp_path):
    (tmp_path / "train.csv").write_bytes((HEADER + "pel\xe9,aaaaaaaaaaa,0,10,train\n").encode("latin-1"))
    with pytest.raises(UserError, match="train.csv must be UTF-8 text, but .*; save it as UTF-8"):
        prepare_kinetics(tmp_path)


def test_contradicting_rows_and_rows_without_a_label_are_counted(tmp_path):
    rows = {"train": ["zumba,aaaaaaaaaaa,0,10"], "validate": ["zumba,aaaaaaaaaaa,0,10"], "test": [",eeeeeeeeeee,1,11"]}
    make_kinetics(tmp_path, [f"train/{NAMES[0]}", "test/eeeeeeeeeee_000001_000011.mp4"], rows)
    preparation = prepare_kinetics(tmp_path)
    assert preparation.classes == ["zumba"]
    assert preparation.notes == [
        "note: 1 test clip is listed, but none usable, so there is no list of them",
        f"note: 1 clip is listed with two labels or in two splits: {NAMES[0][:-4]}",
    ]
