"""Which files decord 0.6.0 gets wrong, and saying so once.

Measured, every frame of a file asked for on its own in random order: right on H.264, HEVC, VP8 and VP9 in MP4, MOV,
Matroska and WebM whose key frames all start a closed GOP, and on AVI without B-frames; wrong on what ``decord_risk``
names. Read in ascending order the frames of most files are right, which is why a quick look does not show it.
"""

import logging
import os

import numpy as np

from .container import codec_name, open_stream
from .errors import DecodeError
from .packets import PacketIndex, read_packets
from .time_limit import Deadline

__all__ = ["decord_risk", "warn_about_decord"]

# The first files of a process are looked at: data sets are of one make, and each look reads a whole file.
LOOKED_AT = 64
_SEEN = 0
_SAID: set[str] = set()


def decord_risk(path: str | os.PathLike) -> str | None:
    """The kind of a file that decord gets wrong, as ``"H.264 with open GOPs"``; None for one that it gets right.

    Raises:
        DecodeError: If PyAV cannot open the file either.
    """
    with open_stream(path) as (container, stream):
        formats, codec = set(container.format.name.split(",")), codec_name(stream)
        index = read_packets(os.fspath(path), container, stream, Deadline(path, None))
    return _risk(formats, codec, index)


def _risk(formats: set[str], codec: str, index: PacketIndex) -> str | None:
    name = {"h264": "H.264", "hevc": "HEVC", "mpeg4": "MPEG-4", "vp8": "VP8", "vp9": "VP9", "av1": "AV1"}.get(
        codec, codec
    )
    if codec == "av1":
        return "AV1 (it cannot open it)"
    if not formats & {"mov", "mp4", "matroska", "webm", "avi"}:
        return f"{name} in {sorted(formats)[0]} files"
    if len(np.unique(index.pts)) < len(index.pts):
        return "time stamps that are missing or doubled"
    if index.hidden.any():
        return "MP4 with an edit list that leaves frames out"
    if "avi" in formats and (codec in ("h264", "hevc") or (np.diff(index.pts) < 0).any()):
        return f"{name} in AVI" if codec in ("h264", "hevc") else f"{name} with B-frames in AVI"
    key_frames = np.flatnonzero(index.keys)
    if codec in ("h264", "hevc") and index.why_not is None and not np.isin(key_frames, index.starts).all():
        return f"{name} whose key frames are not all starting points"
    # the time stamp of the last key frame before each packet
    last_key = index.pts[
        key_frames[np.maximum(0, np.searchsorted(key_frames, np.arange(len(index.pts)), side="right") - 1)]
    ]
    if (index.pts < last_key).any():
        return f"{name} with open GOPs"
    return None


def warn_about_decord(path: str | os.PathLike) -> None:
    """Log one line for each kind of file that decord gets wrong; in the first worker of a loader alone."""
    global _SEEN
    from torch.utils.data import get_worker_info

    worker = get_worker_info()
    if _SEEN >= LOOKED_AT or (worker is not None and worker.id):
        return
    _SEEN += 1
    try:
        kind = decord_risk(path)
    except DecodeError:  # reading it will say why
        return
    if kind is not None and kind not in _SAID:
        _SAID.add(kind)
        from mmengine.logging import print_log

        print_log(
            f"decord returns wrong frames for {kind} (here {path}); take backend='pyav', or re-encode the videos.",
            logger="current",
            level=logging.WARNING,
        )
