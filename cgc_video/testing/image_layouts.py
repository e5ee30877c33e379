"""Image data sets in miniature, laid out as the real ones are shipped."""

import hashlib
import io
import json
import pickle
import tarfile
from pathlib import Path

import cv2
import numpy as np

__all__ = ["WNIDS", "class_color", "write_cifar10", "write_image", "write_imagenet", "write_objectnet"]

WNIDS = ("n01440764", "n01443537", "n02105855", "n03995372")
_ONE_HOT = ((255, 0, 0), (0, 255, 0), (0, 0, 255))


def class_color(label: int) -> tuple[int, int, int]:
    """RGB by which the images of a class are known."""
    return tuple((label // 3 * 40 + 200 * channel // 255) % 256 for channel in _ONE_HOT[label % 3])


def write_image(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (40, 36)) -> None:
    """Write an image of one colour; ``size`` is width and height, the name says which format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((size[1], size[0], 3), color[::-1], np.uint8)
    suffix = ".jpg" if path.suffix.lower() in (".jpeg", ".jpg") else path.suffix
    path.write_bytes(cv2.imencode(suffix, image)[1].tobytes())


def write_imagenet(root: Path, train_per_class: int = 2, val: int = 5) -> list[int]:
    """ImageNet 2012: ``train/<WordNet ID>/``, a flat ``val/``, and the development kit; four classes.

    Returns:
        Labels of the validation images, in the order of their names.
    """
    for label, wnid in enumerate(WNIDS):
        for number in range(train_per_class):
            write_image(root / "train" / wnid / f"{wnid}_{10026 + number}.JPEG", class_color(label))
    labels = [(2 * number + 1) % len(WNIDS) for number in range(val)]
    for number, label in enumerate(labels, start=1):
        write_image(root / "val" / f"ILSVRC2012_val_{number:08d}.JPEG", class_color(label))
    kit = root / "ILSVRC2012_devkit_t12" / "data"
    kit.mkdir(parents=True)
    challenge = write_meta(kit / "meta.mat")
    lines = [f"{challenge[WNIDS[label]]}\n" for label in labels]
    (kit / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(lines))
    return labels


def write_meta(path: Path) -> dict[str, int]:
    """A ``meta.mat``: the classes in another order than that of their IDs, then synsets above them; returns their numbers."""
    from scipy.io import savemat

    fields = [
        "ILSVRC2012_ID",
        "WNID",
        "words",
        "gloss",
        "num_children",
        "children",
        "wordnet_height",
        "num_train_images",
    ]
    challenge = {wnid: number for number, wnid in enumerate(WNIDS[::-1], start=1)}
    above = {"n00001740": len(WNIDS) + 1, "n00001930": len(WNIDS) + 2}
    rows = np.zeros((len(challenge) + len(above), 1), dtype=[(field, object) for field in fields])
    for row, (wnid, number) in enumerate({**challenge, **above}.items()):
        children = [1, 2] if wnid in above else []
        rows[row, 0] = (number, wnid, "words", "gloss", len(children), np.array(children), 0, 1300)
    savemat(str(path), {"synsets": rows})
    return challenge


def write_cifar10(root: Path, per_batch: int = 8, packed: bool = True) -> dict[str, dict[str, str]]:
    """CIFAR-10's archive (or folder, if not ``packed``): files of the official names, pickled as Python 2 did.

    Returns:
        The MD5 of each file, by split, to stand in for the official ones.
    """
    names = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}
    content = {
        "batches.meta": _pickle({"num_cases_per_batch": per_batch, "label_names": ["airplane"], "num_vis": 3072})
    }
    for offset, name in enumerate([*names["train"], *names["test"]]):
        labels = [(offset + number) % 10 for number in range(per_batch)]
        pixels = np.array([np.repeat(np.array(class_color(label), np.uint8), 1024) for label in labels])
        files = [f"{number}.png" for number in range(per_batch)]
        content[name] = _pickle({"batch_label": name, "labels": labels, "data": pixels, "filenames": files})
    root.mkdir(parents=True, exist_ok=True)
    if packed:
        with tarfile.open(root / "cifar-10-python.tar.gz", "w:gz") as archive:
            for name, data in content.items():
                member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    else:
        (root / "cifar-10-batches-py").mkdir()
        for name, data in content.items():
            (root / "cifar-10-batches-py" / name).write_bytes(data)
    return {
        split: {name: hashlib.md5(content[name]).hexdigest() for name in of_split} for split, of_split in names.items()
    }


class _Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, content: bytes) -> None:
        self.write(pickle.BINSTRING + len(content).to_bytes(4, "little") + content)

    dispatch[bytes] = save_bytes


def _pickle(content: dict) -> bytes:
    buffer = io.BytesIO()
    _Python2Pickler(buffer, protocol=2).dump(content)
    # NumPy 1 had its core under another name, by which the official files know it
    return buffer.getvalue().replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")


def write_objectnet(root: Path, per_class: int = 2) -> None:
    """ObjectNet for an ImageNet of five classes: a chair is output 0 or 3, a hammer output 4; a spoon is in no class of it.

    Images have the red border of 2 pixels.
    """
    mappings = root / "mappings"
    mappings.mkdir(parents=True)
    lines = ["hammer", "folding chair", "crane", "barber chair", "crane"]  # in the order of the challenge
    line_of = {0: 3, 1: 2, 2: 4, 3: 1, 4: 0}
    folders = {"spoon": "Spoon", "chair": "Chair", "hammer_tool": "Hammer"}
    shared = {"Hammer": "hammer", "Chair": "barber chair; folding chair"}
    (mappings / "imagenet_to_label_2012_v2").write_text("".join(f"{line}\n" for line in lines))
    (mappings / "pytorch_to_imagenet_2012_id.json").write_text(json.dumps(line_of))
    (mappings / "folder_to_objectnet_label.json").write_text(json.dumps(folders))
    (mappings / "objectnet_to_imagenet_1k.json").write_text(json.dumps(shared))
    for label, folder in enumerate(folders):
        for number in range(per_class):
            path = root / "images" / folder / f"{number:015x}.png"
            write_image(path, (250, 0, 0))
            image = cv2.imread(str(path))
            image[2:-2, 2:-2] = class_color(label)[::-1]
            cv2.imwrite(str(path), image)
