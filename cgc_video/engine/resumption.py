"""Find the checkpoint that a run goes on from."""

import logging
import os
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log

from ..errors import UserError
from ..models.checkpoints import read_checkpoint

__all__ = ["last_good_checkpoint"]

_NOT_RESUMABLE = ("best_", "averaged")  # weights without an optimizer


def last_good_checkpoint(work_dir: str | os.PathLike) -> str | None:
    """The checkpoint that ``last_checkpoint`` of a work dir names, or, if that is damaged or gone, the newest other that is whole.

    All processes take the one that the first finds. The log says which, and why not another.

    Returns:
        None if there is no checkpoint yet.
    Raises:
        UserError: If there are checkpoints and none of them is whole, or the last one is gone.
    """
    found: list[str | UserError | None] = [None]
    if is_main_process():
        try:
            found[0] = _find(Path(work_dir))
        except UserError as error:  # for the others to raise, too, who would wait otherwise
            found[0] = error
    broadcast_object_list(found)
    if isinstance(found[0], UserError):
        raise found[0]
    if found[0] is None:
        print_log(f"{work_dir} holds no checkpoint to resume: training starts anew.", "current", logging.WARNING)
    return found[0]


def _find(work_dir: Path) -> str | None:
    named = _named(work_dir)
    faults = []
    if named is not None:
        if named.is_file():
            fault = _fault(named)
            if fault is None:
                print_log(f"Going on from {named}, the last checkpoint.", logger="current")
                return str(named)
            faults.append(fault)
        else:
            faults.append(f"the latest checkpoint of {work_dir} ({named}) is gone")
    times = {}
    for path in sorted({*work_dir.glob("*.pth"), *(named.parent.glob("*.pth") if named else ())}):
        if path == named or path.name.startswith(_NOT_RESUMABLE):
            continue
        if (fault := _fault(path)) is None:
            content = read_checkpoint(path)
            if isinstance(content, dict) and "optimizer" in content:
                meta = content.get("meta") or {}
                times[path] = str(meta.get("time", "")), int(meta.get("iter", 0))
        else:
            faults.append(fault)
    if times:
        newest = max(times, key=lambda path: times[path])
        why = "; ".join(faults) or f"{work_dir} has no last_checkpoint"
        print_log(f"{why}: going on from {newest}.", logger="current", level=logging.WARNING)
        return str(newest)
    if faults:
        raise UserError(
            f"nothing to resume in {work_dir}: {'; '.join(faults)}; name a whole checkpoint with --resume CHECKPOINT, or "
            "delete these files to train anew."
        )
    return None


def _named(work_dir: Path) -> Path | None:
    """What ``last_checkpoint`` says, in the work dir, which may have been moved or copied since.

    It is elsewhere only where the work dir holds no checkpoints at all (``default_hooks.checkpoint.out_dir``).
    """
    file = work_dir / "last_checkpoint"
    text = file.read_text(errors="replace").strip() if file.is_file() else ""
    if not text:
        return None
    beside = work_dir / Path(text).name
    own = any(not path.name.startswith(_NOT_RESUMABLE) for path in work_dir.glob("*.pth"))
    return beside if own else Path(text)


def _fault(path: Path) -> str | None:
    """What is wrong with a checkpoint; None if it can be read."""
    try:
        read_checkpoint(path)
    except UserError as error:
        return str(error).partition("; ")[0]
    return None
