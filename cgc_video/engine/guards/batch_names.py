"""What the samples of a batch are called in a message."""

from collections.abc import Sequence
from typing import Any

from ...datasets.faults import SOURCE_FILE

__all__ = ["batch_names", "some_names"]

# Where the data samples of ours, of MMAction2 and of MMEngine keep what they were made of.
_PATHS = (SOURCE_FILE, "img_path", "filename", "frame_dir", "video_id")
_NUMBERS = ("sample_idx", "index")
_NAMED = 16


def batch_names(batch: Any) -> list[str]:
    """A name for each sample of a batch, from the metainfo of its data samples: a path, else its number in the data set."""
    samples = batch.get("data_samples") if isinstance(batch, dict) else None
    return [_name(sample) for sample in samples or ()]


def _name(sample: Any) -> str:
    meta = getattr(sample, "metainfo", None) or {}
    if path := next((str(meta[key]) for key in _PATHS if meta.get(key)), None):
        return path
    number = next((meta[key] for key in _NUMBERS if key in meta), None)
    return "a sample without a name" if number is None else f"sample {number}"


def some_names(names: Sequence[str], file: str = "") -> str:
    """The first of the names for a sentence; ``file`` holds them all."""
    more = f" and {len(names) - _NAMED} more{f' (all in {file})' if file else ''}" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "a batch without data samples") + more
