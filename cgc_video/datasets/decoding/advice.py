"""Which files decord 0.6.0 and torchcodec 0.13 get wrong, and saying so once.

Measured, every frame of a file asked for on its own in random order. decord: right on H.264, HEVC, VP8 and VP9 in MP4, MOV,
Matroska and WebM whose key frames all start a closed GOP, and on AVI without B-frames. torchcodec, in its exact mode and with
FFmpeg 5.1: right on MP4, MOV, Matroska and WebM, but for intra refresh, doubled time stamps and a changing resolution, and on AVI without
B-frames. Read in ascending order the frames of most files are right, which is why a quick look does not show it.
"""

import logging
import os
from collections.abc import Callable

import numpy as np

from .container import codec_name, open_stream
from .errors import DecodeError
from .packets import PacketIndex, read_packets
from .time_limit import Deadline

__all__ = ["RISKS", "risk", "warn_about"]

# The first files of a process are looked at: data sets are of one make, and each look reads a whole file.
LOOKED_AT = 64
_SEEN = 0
_SAID: set[str] = set()


def risk(path: str | os.PathLike, backend: str) -> str | None:
    """The kind of a file that a back end of ``RISKS`` gets wrong, as ``"H.264 with open GOPs"``; None for one that it gets right.

    Raises:
        DecodeError: If PyAV cannot open the file either.
    """
    with open_stream(path) as (container, stream):
        formats, codec = set(container.format.name.split(",")), codec_name(stream)
        index = read_packets(os.fspath(path), container, stream, Deadline(path, None))
    return RISKS[backend](formats, codec, index)


def _decord(formats: set[str], codec: str, index: PacketIndex) -> str | None:
    if codec == "av1":
        return "AV1 (it cannot open it)"
    if index.hidden.any():
        return "MP4 with an edit list that leaves frames out"
    if kind := _torchcodec(formats, codec, index):
        return kind
    # the time stamp of the last key frame before each packet
    key_frames = np.flatnonzero(index.keys)
    before = np.searchsorted(key_frames, np.arange(len(index.pts)), side="right") - 1
    last_key = index.pts[key_frames[np.maximum(0, before)]]
    return f"{_name(codec)} with open GOPs" if (index.pts < last_key).any() else None


def _torchcodec(formats: set[str], codec: str, index: PacketIndex) -> str | None:
    if not formats & {"mov", "mp4", "matroska", "webm", "avi"}:
        return f"{_name(codec)} in {sorted(formats)[0]} files"
    if len(np.unique(index.pts)) < len(index.pts):
        return "time stamps that are missing or doubled"
    if "avi" in formats and codec in ("h264", "hevc"):
        return f"{_name(codec)} in AVI"
    if "avi" in formats and (np.diff(index.pts) < 0).any():
        return f"{_name(codec)} with B-frames in AVI"
    key_frames = np.flatnonzero(index.keys)
    if codec in ("h264", "hevc") and index.why_not is None and not np.isin(key_frames, index.starts).all():
        return f"{_name(codec)} whose key frames are not all starting points"
    return None


def _name(codec: str) -> str:
    names = {"h264": "H.264", "hevc": "HEVC", "mpeg4": "MPEG-4", "vp8": "VP8", "vp9": "VP9"}
    return names.get(codec, codec)


# By back end: what it gets wrong of (container formats, codec, packets).
RISKS: dict[str, Callable[[set[str], str, PacketIndex], str | None]] = {"decord": _decord, "torchcodec": _torchcodec}


def warn_about(path: str | os.PathLike, backend: str) -> None:
    """Log one line for each kind of file that a back end gets wrong; in the first worker of a loader alone."""
    global _SEEN
    from torch.utils.data import get_worker_info

    worker = get_worker_info()
    if backend not in RISKS or _SEEN >= LOOKED_AT or (worker is not None and worker.id):
        return
    _SEEN += 1
    try:
        kind = risk(path, backend)
    except DecodeError:  # reading it will say why
        return
    if kind is not None and kind not in _SAID:
        _SAID.add(kind)
        from mmengine.logging import print_log

        print_log(
            f"{backend} returns wrong frames for {kind} (here {path}); take backend='pyav', or re-encode the videos.",
            logger="current",
            level=logging.WARNING,
        )
