"""CSV, JSON, MAT and archive files of the data sets: prepared or read, or refused by a sentence that names the file or its folder."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import strategies as st

from cgc_video.datasets.images.cifar_archive import ARCHIVE, FILES, FOLDER, read_cifar10
from cgc_video.datasets.images.label_files import read_label_file
from cgc_video.datasets.images.objectnet import read_mappings
from cgc_video.datasets.mini_sth.video import write_jpegs
from cgc_video.datasets.preparation.folder import prepare_folder
from cgc_video.datasets.preparation.kinetics import prepare_kinetics
from cgc_video.datasets.preparation.sthv1 import prepare_sthv1
from cgc_video.datasets.preparation.sthv2 import prepare_sthv2
from cgc_video.testing.image_layouts import write_imagenet, write_objectnet

pytestmark = pytest.mark.timeout(3600)

CELL = st.text(st.sampled_from(list("ab0129.;,\t\"'\\\n\r\0\x1c\u2028[]{}-e _/:\ud800")), max_size=40)
CELLS = st.one_of(CELL, st.just("x" * 200_000), st.just("9" * 5000), st.just("1e999"), st.just("-1"))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), CELLS, st.just("<huge>")),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(CELLS, inner, max_size=4)),
    max_leaves=8,
)


def tables(damaged, original: str, delimiter: str):
    """A table as it is shipped, damaged; its rows with odd cells; odd cells alone."""
    rows = st.lists(
        st.lists(st.one_of(CELLS, st.sampled_from(original.replace("\n", delimiter).split(delimiter))), max_size=6),
        max_size=6,
    )
    text = rows.map(lambda found: "\n".join(delimiter.join(row) for row in found))
    mixed = text.map(lambda rest: original + rest)
    made = st.one_of(text, mixed).map(
        lambda each: each.encode(errors="surrogateescape" if "\udc80" in each else "replace")
    )
    return st.one_of(damaged([original.encode()]), made)


def documents(damaged, original, values=VALUES):
    """A JSON document as it is shipped, damaged; other documents; one that is too deep."""
    text = values.map(lambda value: _dump(value).encode())
    deep = st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b"1e99999", b"-Infinity"])
    return st.one_of(damaged([json.dumps(original).encode()]), text, deep)


def _dump(value) -> str:
    return json.dumps(value).replace('"<huge>"', "9" * 5000)  # more digits than Python turns into a number


def prepares(names_file, root: Path, prepare) -> bool:
    """Prepare and write the lists; whatever is refused names the data set's folder."""
    return names_file(lambda: prepare().write(root / "out", force=True), root)


def test_something_something_v1(fuzz, damaged, names_file, tmp_path):
    names, rows = "Going left\nGoing right\n", "1;Going left\n2;Going right\n17;Going left\n"
    for folder in ("1", "2"):
        write_jpegs(tmp_path / "20bn-something-something-v1" / folder, _frames())
    files = {name: tmp_path / f"something-something-v1-{name}.csv" for name in ("labels", "train")}

    def use(found: tuple[str, bytes]) -> bool:
        files["labels"].write_text(names)
        files["train"].write_text(rows)
        files[found[0]].write_bytes(found[1])
        return prepares(names_file, tmp_path, lambda: prepare_sthv1(tmp_path))

    fuzz(st.one_of(_of("labels", tables(damaged, names, ";")), _of("train", tables(damaged, rows, ";"))), use, few=30)


def test_something_something_v2(fuzz, damaged, names_file, tmp_path):
    labels = {"Going left": "0", "Going right": "1"}
    items = [{"id": "1", "template": "Going [left]"}, {"id": "2", "template": "Going right"}]
    answers = "1;Going left\n3;Going right\n"
    videos = tmp_path / "20bn-something-something-v2"
    videos.mkdir()
    for name in ("1", "2", "3"):
        (videos / f"{name}.webm").write_bytes(b"a video")
    item = st.fixed_dictionaries({}, optional={"id": VALUES, "template": VALUES, "label": VALUES})
    of_kind = {
        "labels.json": documents(damaged, labels, st.dictionaries(CELLS, VALUES, max_size=4)),
        "train.json": documents(damaged, items, st.lists(item, max_size=4)),
        "test-answers.csv": tables(damaged, answers, ";"),
    }

    def use(found: tuple[str, bytes]) -> bool:
        (tmp_path / "labels.json").write_text(json.dumps(labels))
        (tmp_path / "train.json").write_text(json.dumps(items))
        (tmp_path / "test-answers.csv").write_text(answers)
        (tmp_path / found[0]).write_bytes(found[1])
        return prepares(names_file, tmp_path, lambda: prepare_sthv2(tmp_path))

    fuzz(st.one_of([_of(name, strategy) for name, strategy in of_kind.items()]), use, few=40)


def test_kinetics(fuzz, damaged, names_file, tmp_path):
    rows = 'label,youtube_id,time_start,time_end,split\nrunning,abc,1,11,train\n"a, b",d-e,2,12,val\n,x,0,9,test\n'
    (tmp_path / "train").mkdir()
    for name in ("abc_000001_000011.mp4", "d-e.mp4"):
        (tmp_path / "train" / name).write_bytes(b"a video")

    def use(data: bytes) -> bool:
        (tmp_path / "train.csv").write_bytes(data)
        return prepares(names_file, tmp_path, lambda: prepare_kinetics(tmp_path))

    fuzz(tables(damaged, rows, ","), use, few=30)


def test_own_tables(fuzz, damaged, names_file, tmp_path):
    rows = "file,label,split\na/1.mp4,left,train\na/2.mp4,right,val\nb 3.mp4,left,train\n"
    (tmp_path / "a").mkdir()
    for name in ("a/1.mp4", "a/2.mp4", "b 3.mp4"):
        (tmp_path / name).write_bytes(b"a video")

    def use(data: bytes) -> bool:
        (tmp_path / "table.csv").write_bytes(data)
        return prepares(names_file, tmp_path, lambda: prepare_folder(tmp_path, tmp_path / "table.csv"))

    fuzz(tables(damaged, rows, ","), use, few=30)


def test_label_files_of_imagenet(fuzz, damaged, names_file, tmp_path):
    write_imagenet(tmp_path, train_per_class=1)
    kit = tmp_path / "ILSVRC2012_devkit_t12" / "data"
    truth, meta = kit / "ILSVRC2012_validation_ground_truth.txt", kit / "meta.mat"
    undated = b"MATLAB 5.0 MAT-file".ljust(116) + meta.read_bytes()[116:]  # its text ends in the time
    whole = {truth: truth.read_bytes(), meta: undated}
    kaggle = (
        "ImageId,PredictionString\nILSVRC2012_val_00000001,n01440764 1 2 3 4\nILSVRC2012_val_00000002,n01443537 1 2\n"
    )
    pairs = "ILSVRC2012_val_00000001.JPEG 0\nILSVRC2012_val_00000002.JPEG 1\n"

    def use(found: tuple[str, bytes]) -> bool:
        for path, data in whole.items():
            path.write_bytes(data)
        path = next((each for each in whole if each.name == found[0]), tmp_path / found[0])
        path.write_bytes(found[1])
        label_file = truth if path == meta else path
        return names_file(lambda: read_label_file(label_file, tmp_path / "val"), path)

    strategies = [
        _of(truth.name, tables(damaged, whole[truth].decode(), " ")),
        _of("meta.mat", damaged([whole[meta]])),
        _of("LOC_val_solution.csv", tables(damaged, kaggle, ",")),
        _of("val.txt", tables(damaged, pairs, " ")),
    ]
    fuzz(st.one_of(strategies), use, few=40)


def test_mappings_of_objectnet(fuzz, damaged, names_file, tmp_path):
    write_objectnet(tmp_path)
    folder = tmp_path / "mappings"
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}

    def use(found: tuple[str, bytes]) -> bool:
        for name, data in whole.items():
            (folder / name).write_bytes(data)
        (folder / found[0]).write_bytes(found[1])
        return names_file(lambda: read_mappings(folder), folder)

    def of(name: str, data: bytes):
        if not name.endswith(".json"):
            return tables(damaged, data.decode(), ";")
        original = json.loads(data)
        return documents(
            damaged, original, st.dictionaries(st.one_of(CELLS, st.sampled_from(sorted(original))), VALUES, max_size=4)
        )

    fuzz(st.one_of([_of(name, of(name, data)) for name, data in sorted(whole.items())]), use, few=40)


def test_the_archive_of_cifar10(fuzz, damaged, names_file, tmp_path):
    """No damaged file can pass for an official one: all are refused, and none is unpickled."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in (*FILES["train"], *FILES["test"]):
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = 300
            archive.addfile(member, io.BytesIO(bytes(300)))

    def use(data: bytes) -> bool:
        (tmp_path / ARCHIVE).write_bytes(data)
        return names_file(lambda: read_cifar10(tmp_path, "train"), tmp_path)

    outcome = fuzz(damaged([gzip.compress(packed.getvalue(), mtime=0)]), use, few=20)
    assert outcome.accepted == 0


def _of(name: str, strategy):
    return strategy.map(lambda data: (name, data))


def _frames():
    import numpy as np

    return np.full((2, 8, 8, 3), 90, np.uint8)
