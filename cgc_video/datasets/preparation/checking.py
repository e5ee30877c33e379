"""Decode the clips of a data set, all of them or a sign of life of each, and say what is wrong with those that fail."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..decoding.errors import DecodeError
from ..decoding.frame_names import read_frame_folder
from ..pool import Failure, map_bounded

__all__ = ["CheckResult", "check_clips", "clip_frames"]


@dataclass(frozen=True)
class CheckResult:
    """What came of one clip.

    Attributes:
        frames: How many were decoded; 0 where ``reason`` is set.
        reason: Why the clip cannot be used, in a few words; None for a good one.
    """

    path: str
    frames: int
    reason: str | None


def clip_frames(path: str, first_frame_only: bool = False, listed_frames: int | None = None) -> int:
    """Decode a video file or the images of a frame folder, and return the number of frames (1 for the first only).

    Args:
        listed_frames: None for a video file. For a folder, the frame count that the list gives; fewer are a fault.
    Raises:
        DecodeError: If it cannot be used; the reason says why. A decoder may raise others.
    """
    if listed_frames is None:
        return _decode_video(path, first_frame_only)
    if not os.path.isdir(path):
        raise DecodeError(path, "a file, not a folder of frames" if os.path.exists(path) else "missing")
    return _decode_folder(path, first_frame_only, listed_frames)


def _decode_video(path: str, first_frame_only: bool) -> int:
    """Decode one frame after the other, held against what training will take the file's index for."""
    from ..decoding.container import open_stream
    from ..decoding.sequential import count_frames, decode_all
    from ..decoding.time_limit import Deadline
    from ..decoding.video import open_video

    no_limit = Deadline(path, None)  # the process has one
    with open_stream(path) as (container, stream):
        packets = (packet for packet in container.demux(stream) if packet.size)
        if first_frame_only:
            if next(decode_all(path, stream.codec_context, packets, no_limit), None) is None:
                raise DecodeError(path, "zero frames")
            return 1
        with open_video(path, "pyav", time_limit=None) as video:  # looks at every packet, too
            stated = video.num_frames
        frames = count_frames(path, stream.codec_context, packets, no_limit)
    if frames != stated:
        raise DecodeError(path, f"damaged ({frames} of {stated} frames can be decoded)")
    return frames


def _decode_folder(path: str, first_frame_only: bool, listed_frames: int) -> int:
    import cv2

    names = read_frame_folder(path)
    if not names.count:
        raise DecodeError(path, "a folder without frames")
    if names.fault:
        raise DecodeError(path, names.fault)
    if names.count < listed_frames:
        raise DecodeError(path, f"{names.count} frames, but the list says {listed_frames}")
    for index in range(1 if first_frame_only else names.count):
        name = names.template.format(names.first + index)
        if not _whole_image(os.path.join(path, name)) or cv2.imread(os.path.join(path, name)) is None:
            raise DecodeError(path, f"{name} is empty, cut off or no image")
    return 1 if first_frame_only else names.count


def _whole_image(path: str) -> bool:
    """Whether a JPEG has its end; OpenCV fills a cut-off one with grey and says nothing."""
    with open(path, "rb") as file:
        if file.read(2) != b"\xff\xd8":
            return True  # no JPEG: OpenCV tells
        file.seek(-min(1024, file.seek(0, os.SEEK_END)), os.SEEK_END)
        return b"\xff\xd9" in file.read()


def _check_one(clip: tuple[str, int | None], first_frame_only: bool) -> int | Failure:
    try:
        return clip_frames(clip[0], first_frame_only, clip[1])
    except DecodeError as error:
        return Failure(error.reason)


def check_clips(
    clips: Sequence[tuple[str, int | None]],
    workers: int = 1,
    seconds: float = 60.0,
    first_frame_only: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    tell: Callable[[CheckResult], None] = lambda result: None,
) -> list[CheckResult]:
    """Check clips in parallel; one that crashes or stops its decoder is a bad one, and the check goes on.

    Args:
        clips: Path, and None for a video or the listed frame count for a folder.
        seconds: Time limit per clip.
        progress: Called with the number of clips done and their total.
        tell: Called with each bad clip as soon as it is known.
    Returns:
        One result per clip, in their order.
    """
    results: list[CheckResult | None] = [None] * len(clips)
    work = partial(_check_one, first_frame_only=first_frame_only)
    progress(0, len(clips))
    for done, (position, result) in enumerate(map_bounded(work, clips, workers, seconds), start=1):
        bad = isinstance(result, Failure)
        checked = CheckResult(clips[position][0], 0 if bad else result, result.reason if bad else None)
        results[position] = checked
        if bad:
            tell(checked)
        progress(done, len(clips))
    return [result for result in results if result is not None]
