"""``ObjectNet``: its own folder and mapping files; classes that ImageNet does not have are left out."""

import json
import shutil

import pytest
from mmaction.registry import DATASETS

from cgc_video.errors import UserError
from cgc_video.testing.image_layouts import write_objectnet


@pytest.fixture
def root(tmp_path):
    write_objectnet(tmp_path / "objectnet-1.0")
    return tmp_path / "objectnet-1.0"


def build(root, **options):
    return DATASETS.build(dict(type="ObjectNet", data_root=str(root), pipeline=[], test_mode=True, **options))


def test_overlapping_classes_and_their_outputs(root):
    dataset = build(root)
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    assert [info["label"] for info in infos] == [0, 0, 1, 1]
    assert ["chair" in info["img_path"] for info in infos] == [True, True, False, False]
    assert dataset.metainfo["mapped_classes"] == ["Chair", "Hammer"]
    assert dataset.metainfo["class_map"] == [[0, 3], [4]]
    assert "classes" not in dataset.metainfo  # those are the names of a model's outputs


def test_lines_may_be_numbered_from_one(root):
    path = root / "mappings" / "pytorch_to_imagenet_2012_id.json"
    path.write_text(json.dumps({output: line + 1 for output, line in json.loads(path.read_text()).items()}))
    assert build(root).metainfo["class_map"] == [[0, 3], [4]]


def test_a_model_of_fewer_outputs(root):
    build(root, lazy_init=True).check_files(5)
    with pytest.raises(UserError, match=r"for models of the 1,000 ImageNet classes .*num_classes is 4"):
        build(root, lazy_init=True).check_files(4)


def test_files_that_are_missing_or_contradict_each_other(root):
    mappings = root / "mappings"
    with pytest.raises(UserError, match="data_root must be the folder objectnet-1.0"):
        build(root.parent)
    shutil.rmtree(root / "images" / "chair")
    for options in ({}, {"lazy_init": True}):
        with pytest.raises(UserError, match="images/chair is missing or holds no image"):
            build(root, **options).check_files(5)

    def write(name: str, content) -> None:
        (mappings / name).write_text(json.dumps(content))

    write("objectnet_to_imagenet_1k.json", {"Chair": "armchair"})
    with pytest.raises(UserError, match="Chair maps to 'armchair', which is no ImageNet class"):
        build(root)
    write("objectnet_to_imagenet_1k.json", {"Sofa": "crane"})
    with pytest.raises(UserError, match="Sofa overlaps with ImageNet but has no folder"):
        build(root)
    write("objectnet_to_imagenet_1k.json", {})
    with pytest.raises(UserError, match="names no class that ImageNet has"):
        build(root)
    (mappings / "objectnet_to_imagenet_1k.json").write_text("{")
    with pytest.raises(UserError, match="is no JSON file"):
        build(root)
    write("objectnet_to_imagenet_1k.json", {"Chair": "barber chair"})
    write("pytorch_to_imagenet_2012_id.json", {"0": 0, "1": 2})
    with pytest.raises(UserError, match="do not fit each other"):
        build(root)
