"""The registered data sets read what MMAction2's cannot: paths with spaces."""

import pytest
from mmaction.registry import DATASETS
from mmengine.registry import DefaultScope

from cgc_video.errors import UserError


def build(kind: str, ann_file, **options):
    with DefaultScope.overwrite_default_scope("mmaction"):
        return DATASETS.build(dict(type=kind, ann_file=str(ann_file), pipeline=[], **options))


def test_videos_in_folders_with_spaces(tmp_path):
    (tmp_path / "list.txt").write_text("abseiling a wall/one.mp4 3\nplain/two.mp4 0\n")
    dataset = build("ListedVideos", tmp_path / "list.txt", data_prefix=dict(video="videos"))
    entries = [dataset.get_data_info(index) for index in range(len(dataset))]
    assert [(e["filename"], e["label"]) for e in entries] == [
        ("videos/abseiling a wall/one.mp4", 3),
        ("videos/plain/two.mp4", 0),
    ]
    assert {(e["start_index"], e["modality"]) for e in entries} == {(0, "RGB")}


def test_frames_keep_template_and_first_index(tmp_path):
    (tmp_path / "list.txt").write_text("a folder/1 12 5\n")
    dataset = build(
        "ListedFrames", tmp_path / "list.txt", data_prefix=dict(img="frames"), filename_tmpl="{:05}.jpg", start_index=1
    )
    entry = dataset.get_data_info(0)
    assert (entry["frame_dir"], entry["total_frames"], entry["label"]) == ("frames/a folder/1", 12, 5)
    assert (entry["filename_tmpl"], entry["start_index"]) == ("{:05}.jpg", 1)


def test_a_bad_line_is_named(tmp_path):
    (tmp_path / "list.txt").write_text("one.mp4 0\ntwo.mp4\n")
    with pytest.raises(UserError, match="2"):
        build("ListedVideos", tmp_path / "list.txt", data_prefix=dict(video=""))


def test_class_names_beside_the_list_are_part_of_the_data_set(tmp_path):
    (tmp_path / "list.txt").write_text("a.mp4 1\n")
    assert "classes" not in build("ListedVideos", tmp_path / "list.txt").metainfo
    (tmp_path / "classes.txt").write_text("left\nright\n")
    assert build("ListedVideos", tmp_path / "list.txt").metainfo["classes"] == ["left", "right"]
    given = build("ListedVideos", tmp_path / "list.txt", metainfo=dict(classes=["a", "b"]))
    assert given.metainfo["classes"] == ["a", "b"]
    (tmp_path / "other.txt").write_text("up\ndown\n")
    named = build("ListedVideos", tmp_path / "list.txt", class_file=str(tmp_path / "other.txt"))
    assert named.metainfo["classes"] == ["up", "down"]
    with pytest.raises(UserError, match=r"label must be under num_classes \(1\)"):
        build("ListedVideos", tmp_path / "list.txt", num_classes=1)


def write_frames(folder, names):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize(
    ("names", "template", "first"),
    [
        (["img_00000.jpg", "img_00001.jpg"], "img_{:05}.jpg", 0),
        (["000001.jpg", "000002.jpg"], "{:06}.jpg", 1),
    ],
)
def test_frame_names_are_found_and_checked(tmp_path, names, template, first):
    write_frames(tmp_path / "a", names)
    write_frames(tmp_path / "b", names)
    (tmp_path / "list.txt").write_text("missing 2 0\na 2 0\nb 2 1\n")
    root = dict(img=str(tmp_path))
    entry = build("ListedFrames", tmp_path / "list.txt", data_prefix=root).get_data_info(1)
    assert (entry["filename_tmpl"], entry["start_index"]) == (template, first)
    with pytest.raises(UserError, match=rf"start_index \({1 - first}\) contradict"):
        build("ListedFrames", tmp_path / "list.txt", data_prefix=root, start_index=1 - first)
    write_frames(tmp_path / "c", ["00001.png"])
    (tmp_path / "list.txt").write_text("a 2 0\nc 1 1\n")
    with pytest.raises(UserError, match="named in two ways"):
        build("ListedFrames", tmp_path / "list.txt", data_prefix=root)
