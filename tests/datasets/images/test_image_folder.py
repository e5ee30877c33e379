"""``ImageFolder`` reads ImageNet in each layout alike, and says what does not fit."""

import os
import shutil
from pathlib import Path

import pytest
from mmaction.registry import DATASETS

from cgc_video.datasets.images import image_folder
from cgc_video.errors import UserError
from cgc_video.testing.image_layouts import WNIDS, write_image, write_imagenet


@pytest.fixture
def imagenet(tmp_path) -> tuple[Path, list[int]]:
    """A small ImageNet as it is unpacked, and the labels of its validation images."""
    return tmp_path / "imagenet", write_imagenet(tmp_path / "imagenet")


def build(root: Path, split: str, lazy: bool = False, **options):
    prefix = dict(img_path=split)
    if split == "val":
        options.setdefault("classes_from", "train")
    return DATASETS.build(
        dict(type="ImageFolder", data_root=str(root), data_prefix=prefix, pipeline=[], lazy_init=lazy, **options)
    )


def read(dataset) -> list[tuple[str, int]]:
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [(os.path.basename(info["img_path"]), info["label"]) for info in infos]


def names(labels: list[int]) -> list[tuple[str, int]]:
    return [(f"ILSVRC2012_val_{number:08d}.JPEG", label) for number, label in enumerate(labels, start=1)]


def test_training_folders(imagenet):
    root, _ = imagenet
    dataset = build(root, "train")
    assert dataset.metainfo["classes"] == list(WNIDS)
    assert read(dataset) == [
        (f"{wnid}_{number}.JPEG", label) for label, wnid in enumerate(WNIDS) for number in (10026, 10027)
    ]
    assert all(Path(dataset.get_data_info(index)["img_path"]).is_file() for index in range(len(dataset)))


def test_flat_validation_folder_with_the_development_kit(imagenet):
    root, labels = imagenet
    dataset = build(root, "val")
    assert read(dataset) == names(labels)
    assert dataset.metainfo["classes"] == list(WNIDS)
    dataset.check_files(len(WNIDS))
    shutil.rmtree(root / "train")  # a test alone
    assert read(build(root, "val")) == names(labels)


def test_the_same_labels_from_every_layout(imagenet):
    root, labels = imagenet
    kit = root / "ILSVRC2012_devkit_t12"
    ground_truth = (kit / "data" / "ILSVRC2012_validation_ground_truth.txt").read_text()
    shutil.rmtree(kit)
    with pytest.raises(UserError, match="holds no class folders, and no label file was found"):
        build(root, "val")

    rows = [f"{name} {label}\n" for name, label in names(labels)]
    (root / "val.txt").write_text("".join(rows[::-1]))  # in any order
    assert sorted(read(build(root, "val"))) == names(labels)
    (root / "val.txt").unlink()

    (root / "meta").mkdir()
    (root / "meta" / "val.txt").write_text("".join(rows))
    assert read(build(root, "val")) == names(labels)
    shutil.rmtree(root / "meta")

    boxes = [f"{name[:-5]},{WNIDS[label]} 1 2 30 40 {WNIDS[label]} 5 6 7 8 \n" for name, label in names(labels)]
    (root / "LOC_val_solution.csv").write_text("".join(["ImageId,PredictionString\n", *boxes]))
    assert read(build(root, "val")) == names(labels)
    (root / "LOC_val_solution.csv").unlink()

    (root / "ILSVRC2012_validation_ground_truth.txt").write_text(ground_truth)
    with pytest.raises(UserError, match="meta.mat, which is not beside it"):
        build(root, "val")
    (root / "ILSVRC2012_validation_ground_truth.txt").unlink()

    for name, label in names(labels):
        (root / "val" / WNIDS[label]).mkdir(exist_ok=True)
        (root / "val" / name).rename(root / "val" / WNIDS[label] / name)
    assert sorted(read(build(root, "val"))) == names(labels)


def test_a_class_without_validation_images_moves_no_label(imagenet, monkeypatch):
    """The kit's classes are those of training even where a class folder of validation is missing."""
    root, _ = imagenet
    for wnid in WNIDS[1:]:
        write_image(root / "sorted" / wnid / "one.JPEG", (9, 9, 9))
    said = []
    monkeypatch.setattr(image_folder, "print_log", lambda message, **options: said.append(message))
    dataset = build(root, "sorted", classes_from="train")
    assert [label for _, label in read(dataset)] == [1, 2, 3]
    assert len(said) == 1
    assert "has no images of 1 of the 4 classes (n01440764 for one)" in said[0]


def test_a_list_of_a_part_of_the_training_images(imagenet):
    root, _ = imagenet
    listed = f"{WNIDS[2]}/{WNIDS[2]}_10026.JPEG"
    (root / "part.txt").write_text(f"{listed} 2\n")
    dataset = build(root, "train", ann_file="part.txt")
    assert read(dataset) == [(Path(listed).name, 2)]
    assert dataset.metainfo["classes"] == list(WNIDS)


def test_class_names(imagenet):
    root, _ = imagenet
    lines = [f"{wnid} a name, with a comma" for wnid in WNIDS]
    (root / "LOC_synset_mapping.txt").write_text("\n".join(lines) + "\n")
    assert build(root, "train", class_file="LOC_synset_mapping.txt").metainfo["classes"] == lines
    (root / "LOC_synset_mapping.txt").write_text("\n".join(lines[::-1]) + "\n")
    with pytest.raises(UserError, match="in another order than that of their folders"):
        build(root, "train", class_file="LOC_synset_mapping.txt")
    (root / "LOC_synset_mapping.txt").write_text("one\ntwo\n")
    with pytest.raises(UserError, match="names 2 classes, but the data has 4"):
        build(root, "train", class_file="LOC_synset_mapping.txt")
    assert build(root, "train", metainfo=dict(classes=list("abcd"))).metainfo["classes"] == list("abcd")


def test_what_does_not_fit_the_model(imagenet):
    root, labels = imagenet
    with pytest.raises(UserError, match=r"train has 4 classes, but model.cls_head.num_classes is 5; make them equal"):
        build(root, "train", lazy=True).check_files(5)
    (root / "val.txt").write_text("".join(f"{name} {label + 1}\n" for name, label in names(labels)))
    lazy = build(root, "val", lazy=True, ann_file="val.txt")
    with pytest.raises(UserError, match=r"holds the label 4, which must be under model.cls_head.num_classes \(4\)"):
        lazy.check_files(4)


def test_folders_that_cannot_be(imagenet):
    root, _ = imagenet
    with pytest.raises(UserError, match=r"the image folder \(.*none\) does not exist"):
        build(root, "none")
    (root / "train" / "n09999999").mkdir()
    for call in (lambda: build(root, "train"), lambda: build(root, "train", lazy=True).check_files(5)):
        with pytest.raises(UserError, match="class folder .*n09999999 holds no image; fill it, or remove it"):
            call()
    write_image(root / "other" / "n00000001" / "x.png", (0, 0, 0))
    with pytest.raises(UserError, match="other has the class n00000001, which is none of the 5 class folders of train"):
        build(root, "other", classes_from="train")


def test_label_files_that_do_not_fit(imagenet):
    root, labels = imagenet
    ground_truth = root / "ILSVRC2012_devkit_t12" / "data" / "ILSVRC2012_validation_ground_truth.txt"
    text = ground_truth.read_text()
    ground_truth.write_text(text + "1\n")
    with pytest.raises(UserError, match="labels 6 images, but their folder holds 5"):
        build(root, "val")
    ground_truth.write_text("9" + text[1:])
    with pytest.raises(
        UserError, match=r"line 1 \('9'\): not one of the numbers 1 to 4 of .*meta.mat; take both from one kit"
    ):
        build(root, "val")
    ground_truth.write_text(text)
    (root / "val" / "ILSVRC2012_val_00000005.JPEG").rename(root / "val" / "ILSVRC2012_val_00000006.JPEG")
    with pytest.raises(UserError, match="not numbered 1 to 5"):
        build(root, "val")
    ground_truth.with_name("meta.mat").write_text("no")
    with pytest.raises(UserError, match="is not the meta.mat of the ILSVRC 2012 development kit"):
        build(root, "val")
    (root / "LOC.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="line 2: not of the columns ImageId,PredictionString"):
        build(root, "val", ann_file="LOC.csv")
    (root / "LOC.csv").write_text("ImageId,PredictionString\nx,n00000007 1 2 3 4\n")
    with pytest.raises(UserError, match="has the class n00000007, which is none of the 4 class folders of train"):
        build(root, "val", ann_file="LOC.csv")
    (root / "far.txt").write_text("elsewhere.JPEG 0\n")
    with pytest.raises(UserError, match="none of the first 1 images of .*far.txt exists"):
        build(root, "val", lazy=True, ann_file="far.txt").check_files(4)
    with pytest.raises(UserError, match="gone.txt"):
        build(root, "val", ann_file="gone.txt")


def test_a_folder_of_ones_own(tmp_path):
    """Any names, any formats, nested folders; hidden files and other files do not count."""
    for name in ("cats/a b.PNG", "cats/deep/c.jpg", "dogs/d.bmp"):
        write_image(tmp_path / name, (1, 2, 3))
    (tmp_path / "dogs" / "notes.txt").write_text("x")
    (tmp_path / ".cache").mkdir()
    dataset = build(tmp_path, "", classes_from=None)
    assert read(dataset) == [("a b.PNG", 0), ("c.jpg", 0), ("d.bmp", 1)]
    assert dataset.metainfo["classes"] == ["cats", "dogs"]
