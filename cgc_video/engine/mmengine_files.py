"""MMEngine's own reading and writing of files, made safe by its registries: importing this module is enough.

``load_from``, ``resume``, ``init_cfg`` and hooks then read checkpoints by ``read_checkpoint``, pickle files by ``read_pickle``, and
whatever is written to a local path is whole or not there.
"""

import os
from typing import Any

from mmengine.fileio import LocalBackend, register_backend, register_handler
from mmengine.fileio.handlers import PickleHandler
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from ..errors import UserError
from ..models.checkpoints import read_checkpoint, read_pickle, replacing
from ..models.pretrained import fetch_checkpoint

__all__ = ["SafeLocalBackend", "SafePickleHandler", "load_from_file", "load_from_http"]


def load_from_file(filename: str, map_location: Any = None) -> Any:
    """MMEngine's loader of local checkpoints; its name is the one that its log shows."""
    return _without_code(read_checkpoint(filename, map_location or "cpu"))


def load_from_http(filename: str, map_location: Any = None, *_: Any, **__: Any) -> Any:
    """Likewise for URLs, which are fetched once, into torch's hub folder. Upstream unpickles them without restriction."""
    try:
        path = fetch_checkpoint(filename)
    except OSError as error:
        raise UserError(
            f"checkpoint ({filename}) cannot be fetched: {error}; fetch it elsewhere and name the file."
        ) from error
    return load_from_file(str(path), map_location)


def _without_code(checkpoint: Any) -> Any:
    """``Runner.resume`` of mmengine 0.10.7 executes the text that it finds at this place, where MMCV once put the config."""
    meta = checkpoint.get("meta") if isinstance(checkpoint, dict) else None
    if isinstance(meta, dict):
        meta.pop("config", None)
    return checkpoint


CheckpointLoader.register_scheme("", load_from_file, force=True)
CheckpointLoader.register_scheme(("http://", "https://"), load_from_http, force=True)
mmengine_checkpoint.load_from_http = load_from_http  # by which its other schemes fetch what they name


class SafeLocalBackend(LocalBackend):
    """Writes a local file whole or not at all."""

    def put(self, obj: bytes | memoryview, filepath: str | os.PathLike) -> None:
        with replacing(filepath) as file:
            file.write(obj)

    def put_text(self, obj: str, filepath: str | os.PathLike, encoding: str = "utf-8") -> None:
        self.put(obj.encode(encoding), filepath)


register_backend("local", SafeLocalBackend, force=True, prefixes="")


@register_handler(["pkl", "pickle"])
class SafePickleHandler(PickleHandler):
    """Reads data lists and results without running what is in them."""

    def load_from_fileobj(self, file: Any, **kwargs: Any) -> Any:
        return read_pickle(file, getattr(file, "name", "the pickle file"), **kwargs)
