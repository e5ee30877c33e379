"""The official CIFAR-10 files: ``cifar-10-python.tar.gz``, packed or unpacked.

They are pickles of Python 2, and a pickle can run anything: each file must be the official one by its MD5, and no more than the
three names that a NumPy array needs are resolved.
"""

import hashlib
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UserError

__all__ = ["ARCHIVE", "CLASSES", "FOLDER", "HELP", "read_cifar10"]

ARCHIVE, FOLDER = "cifar-10-python.tar.gz", "cifar-10-batches-py"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")  # of batches.meta
HELP = (
    "download the 'CIFAR-10 python version' from https://www.cs.toronto.edu/~kriz/cifar.html (163 MB, MD5 "
    f"c58f30108f718f92721af3b95e74349a) and put {ARCHIVE} there"
)
# The files of each split, in order, with their MD5.
FILES = {
    "train": {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
}


def read_cifar10(root: str | Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a split.

    Args:
        root: The folder that holds the archive, or what was unpacked from it.
        split: ``"train"`` or ``"test"``.
    Returns:
        Images ``(N, 32, 32, 3)`` uint8 RGB, and labels ``(N,)`` int64.
    Raises:
        UserError: If files are missing, or are not the official ones.
    """
    images, labels = [], []
    for name, content in _contents(Path(root), list(FILES[split])).items():
        _check_md5(Path(root, FOLDER, name), content, FILES[split][name])
        batch = _Unpickler(io.BytesIO(content), encoding="latin1").load()
        images.append(np.asarray(batch["data"], np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        labels.append(np.asarray(batch["labels"], np.int64))
    return np.ascontiguousarray(np.concatenate(images)), np.concatenate(labels)


def find_cifar10(root: str | Path) -> Path:
    """The unpacked folder, or else the archive.

    Raises:
        UserError: If neither is there; says how to get it.
    """
    found = next((path for path in (Path(root, FOLDER), Path(root, ARCHIVE)) if path.exists()), None)
    if found is None:
        raise UserError(f"{root} holds neither {ARCHIVE} nor {FOLDER}; {HELP}.")
    return found


def _contents(root: Path, names: list[str]) -> dict[str, bytes]:
    source = find_cifar10(root)
    if source.name == FOLDER:
        if missing := [name for name in names if not (source / name).is_file()]:
            raise UserError(f"{source} lacks {missing[0]}; unpack {ARCHIVE} again.")
        return {name: (source / name).read_bytes() for name in names}
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(source, "r:gz") as archive:
            for member in archive:
                name = member.name.removeprefix(f"{FOLDER}/")
                if name in names and (file := archive.extractfile(member)) is not None:
                    found[name] = file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"{source} cannot be unpacked ({error}): {HELP} again.") from error
    if missing := [name for name in names if name not in found]:
        raise UserError(f"{source} lacks {FOLDER}/{missing[0]}; {HELP} again.")
    return {name: found[name] for name in names}


def _check_md5(path: Path, content: bytes, expected: str) -> None:
    if (actual := hashlib.md5(content, usedforsecurity=False).hexdigest()) != expected:
        raise UserError(f"{path} is not the official file (MD5 {actual}, not {expected}); {HELP} again.")


class _Unpickler(pickle.Unpickler):
    """Builds arrays and plain containers; any other name in the file is an error."""

    _ARRAY = np.empty(0).__reduce__()[0]
    _KNOWN = {
        ("numpy.core.multiarray", "_reconstruct"): _ARRAY,
        ("numpy._core.multiarray", "_reconstruct"): _ARRAY,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._KNOWN:
            raise UserError(f"a CIFAR-10 file asks for {module}.{name}, which no official file does; {HELP} again.")
        return self._KNOWN[module, name]
