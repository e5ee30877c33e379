"""Annotation lists: what is written is read back, and every broken line is named."""

import pytest

from cgc_video.datasets.lists import read_classes, read_list, write_classes, write_list
from cgc_video.errors import UserError


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_video_list_round_trip(tmp_path):
    entries = [{"filename": "a.mp4", "label": 0}, {"filename": "class one/b c.mp4", "label": 12}]
    write_list(tmp_path / "list.txt", entries)
    assert (tmp_path / "list.txt").read_text() == "a.mp4 0\nclass one/b c.mp4 12\n"
    assert read_list(tmp_path / "list.txt", num_classes=13) == entries


def test_rawframe_list_round_trip(tmp_path):
    entries = [{"frame_dir": "17", "total_frames": 36, "label": 3}, {"frame_dir": "a b", "total_frames": 1, "label": 0}]
    write_list(tmp_path / "list.txt", entries, "rawframes")
    assert read_list(tmp_path / "list.txt", "rawframes", num_classes=4) == entries


def test_blank_lines_windows_ends_tabs_and_a_byte_order_mark_are_no_matter(tmp_path):
    path = write(tmp_path / "list.txt", "\ufeff\r\na.mp4\t1\r\n\r\n  b.mp4  2  \r\n")
    assert read_list(path) == [{"filename": "a.mp4", "label": 1}, {"filename": "b.mp4", "label": 2}]


@pytest.mark.parametrize(
    ("kind", "line", "rule"),
    [
        ("video", "b.mp4", "a line must read 'path label'"),
        ("video", "b.mp4 one", "label must be a whole number"),
        ("video", "b.mp4 1.5", "label must be a whole number"),
        ("video", "b.mp4 ²", "label must be a whole number"),
        ("video", "b.mp4 -1", "label must be 0 or more"),
        ("video", "b.mp4 8", r"label must be under num_classes \(8\)"),
        ("rawframes", "b 3", "a line must read 'folder frames label'"),
        ("rawframes", "b many 3", "total_frames must be a whole number"),
        ("rawframes", "b 0 3", "total_frames must be 1 or more"),
    ],
)
def test_broken_line_is_named(tmp_path, kind, line, rule):
    good = "a.mp4 1" if kind == "video" else "a 5 1"
    path = write(tmp_path / "list.txt", f"{good}\n\n{line}\n")
    with pytest.raises(UserError, match=rf"list.txt, line 3 \('{line}'\): {rule}; mend the line"):
        read_list(path, kind, num_classes=8)


def test_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"\(.*none.txt\) cannot be read: No such file or directory"):
        read_list(tmp_path / "none.txt")
    with pytest.raises(UserError, match=r"\(.*empty.txt\) is empty"):
        read_list(write(tmp_path / "empty.txt", " \n\n"))
    (tmp_path / "bytes.txt").write_bytes(b"a.mp4 1\n\xff\xfe")
    with pytest.raises(UserError, match="must be UTF-8 text, but .* at byte 8"):
        read_list(tmp_path / "bytes.txt")
    with pytest.raises(UserError, match=r"kind \(flow\) must be one of"):
        read_list(tmp_path / "empty.txt", "flow")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "There is no entry to write"),
        ([{"filename": "a.mp4", "label": 0}, {"filename": "b.mp4", "label": -2}], r"Entry 2 .*label must be 0 or more"),
        ([{"filename": "a\nb.mp4", "label": 0}], "must have no line break"),
        ([{"filename": " a.mp4", "label": 0}], "must have no line break or outer space"),
        ([{"filename": "a ", "label": 0}], "must have no line break or outer space"),
        ([{"filename": "a\rb", "label": 0}], "must have no line break or outer space"),
        ([{"filename": "caf\udce9.mp4", "label": 0}], r"filename \('caf.*'\) must be UTF-8; rename the file"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, entries, message):
    with pytest.raises(UserError, match=message):
        write_list(tmp_path / "list.txt", entries)
    assert not (tmp_path / "list.txt").exists()


def test_classes_round_trip_and_twice_is_refused(tmp_path):
    names = ["Moving something up", "Pouring [something] into, über", "applauding"]
    write_classes(tmp_path / "classes.txt", names)
    assert read_classes(tmp_path / "classes.txt") == names
    with pytest.raises(UserError, match=r"line 3 \('a'\): also the class of line 1"):
        read_classes(write(tmp_path / "twice.txt", "a\nb\na\n"))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b "], r"class 1 \('b '\) must have no line break or outer space"),
        ([""], "must not be empty"),
        (["\udce9"], "must be UTF-8"),
        (["a", "b", "a"], "'a' occurs twice"),
    ],
)
def test_class_names_that_could_not_be_read_back(tmp_path, names, message):
    with pytest.raises(UserError, match=message):
        write_classes(tmp_path / "classes.txt", names)
    assert not any(tmp_path.iterdir())
