"""Put a rendered data set in place in one step, and never over anything but an older mini data set."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from ...errors import UserError
from .layout import METADATA, MiniArguments, existing_arguments, missing_files

__all__ = ["may_reuse", "put_in_place"]


def may_reuse(output: Path, arguments: MiniArguments, force: bool = False) -> bool:
    """Say whether ``output`` holds this very data set, complete.

    Raises:
        UserError: If it holds something else that must not be, or was not said to be, replaced.
    """
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return False
    found = existing_arguments(output)
    if found is None:
        raise UserError(
            f"output ({output}) exists and is not a mini data set (no {METADATA}); choose another folder, or remove it."
        )
    if force:
        return False
    wanted = json.loads(json.dumps(asdict(arguments)))
    if found != wanted:
        pairs = {key: (found.get(key), wanted.get(key)) for key in {**wanted, **found}}
        shown = ", ".join(f"{key} {old} instead of {new}" for key, (old, new) in pairs.items() if old != new)
        raise UserError(f"output ({output}) holds a mini data set with {shown}; use --force to replace it.")
    if missing := missing_files(output, arguments):
        raise UserError(
            f"output ({output}) lacks {len(missing)} of its files ({missing[0]} for one); use --force to make it again."
        )
    return True


@contextmanager
def put_in_place(output: Path) -> Iterator[Path]:
    """Give a temporary folder that replaces ``output`` on success, and is removed on any failure or interruption."""
    output.parent.mkdir(parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(prefix=f".{output.name}.partial-", dir=output.parent))
    new, old = workspace / "new", workspace / "old"
    try:
        new.mkdir()
        yield new
        if existing_arguments(output) is not None:
            os.replace(output, old)
        try:
            os.replace(new, output)  # over nothing or an empty folder; fails over anything else
        except BaseException:
            if old.exists():
                os.replace(old, output)
            raise
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
