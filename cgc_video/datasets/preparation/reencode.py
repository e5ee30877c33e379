"""Re-encode videos once, so that every training sample decodes fast: small pictures, short GOPs, no B-frames, fast-decode tuning.

A training sample decodes whole GOPs to reach its frames. With a key frame every few frames, and pictures of the size that training
resizes to anyway, most of that work is gone.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import av
from av.video.reformatter import VideoReformatter

from ...errors import UserError
from ..decoding.container import open_stream
from ..decoding.errors import DecodeError
from ..decoding.rgb import ONE_THREAD, RGBConverter
from ..decoding.sequential import decode_all
from ..decoding.time_limit import Deadline
from ..pool import Failure, map_bounded
from .output import require_folder_for_output
from .scan import VIDEO_SUFFIXES, scan_files

__all__ = ["Encoding", "Outcome", "find_videos", "read_origin", "reencode", "reencode_all", "target_path"]

# The comment of a file that is written here holds how and from what it was made, so that a later run knows.
_MARK = "re-encoded by cgc_video "


@dataclass(frozen=True)
class Encoding:
    """How a video is written: H.264 in MP4, without sound.

    Args:
        short_side: Pixels; a smaller video keeps its size.
        gop: Frames from one key frame to the next.
        crf: Quality, from 0 (lossless) to 51.
    """

    short_side: int = 256
    gop: int = 8
    crf: int = 24

    def __post_init__(self) -> None:
        for name, least, most in (("short_side", 16, 8192), ("gop", 1, 1000), ("crf", 0, 51)):
            if not least <= (value := getattr(self, name)) <= most:
                raise UserError(f"{name} ({value}) must lie in {least} to {most}.")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after resizing, both even as 4:2:0 wants them."""
        scale = min(1.0, self.short_side / min(width, height))
        return tuple(max(2, 2 * round(scale * side / 2)) for side in (width, height))

    @property
    def options(self) -> dict[str, str]:
        return {
            "crf": str(self.crf),
            "preset": "medium",
            "tune": "fastdecode",
            "psy": "0",  # bits for the looks of noise are bits to decode
            "g": str(self.gop),
            "keyint_min": str(self.gop),
            "sc_threshold": "0",  # and no more key frames at cuts
            "bf": "0",
            "threads": "1",  # one video per process
        }


@dataclass(frozen=True)
class Outcome:
    """What became of a video; sizes in bytes.

    Attributes:
        state: ``"written"``; ``"again"``, since the settings or the source had changed; ``"there"``, done before; ``"foreign"``,
            the file in its place is not of this tool; or ``"failed"``, with the reason.
    """

    name: str
    state: str
    before: int = 0
    after: int = 0
    reason: str = ""


def target_path(name: str) -> str:
    """The name of a video after re-encoding: the suffix becomes ``.mp4``."""
    return os.path.splitext(name)[0] + ".mp4"


def find_videos(source: Path, target: Path, progress: Callable[[int], None] = lambda done: None) -> list[str]:
    """The videos below ``source``, by names relative to it.

    Raises:
        UserError: If there is none, two would be written to the same file, originals would be overwritten, or the target cannot be
            written.
    """
    require_folder_for_output(target, "The target")
    if not source.is_dir():
        raise UserError(f"The source ({source}) is not a folder; name the folder of the videos.")
    if target.resolve() == source.resolve() or source.resolve() in target.resolve().parents:
        raise UserError(f"The target ({target}) must lie outside the source ({source}), whose files stay as they are.")
    names = sorted(found.path for found in scan_files(source, VIDEO_SUFFIXES, progress, with_size=False))
    if not names:
        raise UserError(f"There is no video ({', '.join(VIDEO_SUFFIXES)}) below {source}; check the path.")
    by_target: dict[str, str] = {}
    for name in names:
        if (other := by_target.setdefault(target_path(name), name)) != name:
            raise UserError(f"{other} and {name} would both become {target_path(name)}; rename or remove one.")
    return names


def _origin(source: Path, encoding: Encoding) -> dict[str, int]:
    """How and from what a file is made."""
    stat = source.stat()
    return {**asdict(encoding), "source_bytes": stat.st_size, "source_mtime_ns": stat.st_mtime_ns}


def read_origin(path: Path) -> dict[str, int] | None:
    """How a re-encoded file was made: the fields of ``Encoding``, and size and time of the source; None for any other file."""
    try:
        with open_stream(path, by_tables=True) as (container, _):
            mark, _, text = container.metadata.get("comment", "").partition(_MARK)
            return None if mark or not text else json.loads(text)
    except (DecodeError, OSError, ValueError):
        return None


def reencode(source: Path, target: Path, encoding: Encoding) -> int:
    """Re-encode a video, and check that the result decodes to as many frames; return their number.

    The file appears under its name when it is whole and checked. Frames keep their times; where those are missing or do not
    increase, frames are spaced evenly at the average rate.

    Raises:
        DecodeError: If the source, or what was written, cannot be decoded.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    try:
        written = _encode(source, part, encoding)
        with open_stream(part) as (container, stream):
            frames = decode_all(str(part), stream.codec_context, container.demux(stream), Deadline(str(part), None))
            read = sum(1 for _ in frames)
        if read != written:
            raise DecodeError(source, f"{written} frames went in, {read} came out again")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return written


def _encode(source: Path, target: Path, encoding: Encoding) -> int:
    with open_stream(source) as (container, stream), av.open(str(target), "w", format="mp4") as out:
        out.metadata["comment"] = _MARK + json.dumps(_origin(source, encoding))
        rate = stream.average_rate or stream.guessed_rate or 25
        frames = decode_all(str(source), stream.codec_context, container.demux(stream), Deadline(str(source), None))
        encoder, resizer, count = None, VideoReformatter(), 0
        for frame, pts in _timed(frames, stream.time_base, rate):
            count += 1
            if encoder is None:
                encoder = out.add_stream("libx264", rate=rate, options=encoding.options)
                encoder.width, encoder.height = encoding.size(frame.width, frame.height)
                encoder.pix_fmt = "yuv420p"
                encoder.codec_context.time_base = encoder.time_base = stream.time_base
                # tagged as the source is, so that its colours are read by the same rule
                encoder.codec_context.color_range = frame.color_range
                if not frame.format.is_rgb:
                    encoder.codec_context.colorspace = frame.colorspace
            small = resizer.reformat(
                frame,
                encoder.width,
                encoder.height,
                "yuv420p",
                interpolation="AREA",
                src_color_range=frame.color_range,
                dst_color_range=encoder.codec_context.color_range,
                **ONE_THREAD,
            )
            small.pts, small.time_base, small.pict_type = pts, stream.time_base, 0
            out.mux(encoder.encode(small))
        if encoder is None:
            raise DecodeError(source, "zero frames")
        out.mux(encoder.encode(None))
    return count


def _timed(frames: Iterable[av.VideoFrame], time_base, rate) -> Iterator[tuple[av.VideoFrame, int]]:
    """Upright frames with strictly increasing times, in units of ``time_base``."""
    turned, step = RGBConverter(), max(1, round(1 / (rate * time_base)))
    last = None
    for frame in frames:
        pts = frame.pts
        if last is not None and (pts is None or pts <= last):
            pts = last + step
        last = pts or 0
        yield (av.VideoFrame.from_ndarray(turned(frame), "rgb24") if frame.rotation % 360 else frame), last


def reencode_all(
    source: Path, target: Path, names: list[str], encoding: Encoding, jobs: int, seconds: float
) -> Iterator[Outcome]:
    """Re-encode videos in parallel, in any order; those that are there already, made alike of the same source, are passed over.

    Args:
        seconds: Time limit per video.
    """
    work = partial(_reencode_one, source=source, target=target, encoding=encoding)
    for position, result in map_bounded(work, names, jobs, seconds):
        name = names[position]
        yield Outcome(name, "failed", reason=result.reason) if isinstance(result, Failure) else result
        if isinstance(result, Failure):  # a worker that was killed leaves its part
            (target / f"{target_path(name)}.part").unlink(missing_ok=True)


def _reencode_one(name: str, source: Path, target: Path, encoding: Encoding) -> Outcome | Failure:
    original, new = source / name, target / target_path(name)
    there, origin = new.exists(), read_origin(new)
    if there and origin is None:
        return Outcome(name, "foreign")
    if there and origin == _origin(original, encoding):
        return Outcome(name, "there", original.stat().st_size, new.stat().st_size)
    try:
        reencode(original, new, encoding)
    except DecodeError as error:
        return Failure(error.reason)
    return Outcome(name, "again" if there else "written", original.stat().st_size, new.stat().st_size)
