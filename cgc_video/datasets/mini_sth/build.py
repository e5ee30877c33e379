"""Build the mini data set on disk: render in parallel, lay out, and put it in place in one step."""

import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import av
import cv2
import numpy as np

from ...errors import UserError
from .folder import may_reuse, put_in_place
from .layout import Clip, MiniArguments, list_clips, write_annotations
from .scene import render_clip
from .video import draw_compression, write_jpegs, write_mp4

__all__ = ["build_mini", "clip_generator", "render_files"]

CLIPS_PER_JOB = 8
Progress = Callable[[int, int], None]


def clip_generator(seed: int, split: str, index: int) -> np.random.Generator:
    """Return the source of every random choice of one clip; it depends on these three numbers alone."""
    split_number = {"train": 0, "val": 1, "test": 2}[split]
    return np.random.default_rng(np.random.SeedSequence([seed, split_number, index]))


def render_files(root: Path, arguments: MiniArguments, clips: list[Clip]) -> int:
    """Render and write clips under ``root``; return how many."""
    cv2.setNumThreads(1)
    for clip in clips:
        rng = clip_generator(arguments.seed, clip.split, clip.index)
        frames = render_clip(rng, clip.label, arguments.size, arguments.frames)
        if arguments.format == "videos":
            write_mp4(root / clip.path, frames, draw_compression(rng))
        else:
            write_jpegs(root / clip.path, frames)
    return len(clips)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C


def _render_all(root: Path, arguments: MiniArguments, clips: list[Clip], workers: int, progress: Progress) -> None:
    jobs = [clips[start : start + CLIPS_PER_JOB] for start in range(0, len(clips), CLIPS_PER_JOB)]
    done = 0
    progress(done, len(clips))
    if workers == 1 or len(jobs) == 1:
        for job in jobs:
            done += render_files(root, arguments, job)
            progress(done, len(clips))
        return
    # a forked worker starts at once, a spawned one imports torch first; workers use NumPy, OpenCV and PyAV alone
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _ignore_interrupts) as pool:
        futures = [pool.submit(render_files, root, arguments, job) for job in jobs]
        try:
            for future in as_completed(futures):
                done += future.result()
                progress(done, len(clips))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def build_mini(
    output: str | Path,
    arguments: MiniArguments | None = None,
    workers: int = 1,
    force: bool = False,
    progress: Progress = lambda done, total: None,
) -> bool:
    """Render the mini data set into ``output``, all of it or nothing.

    Args:
        workers: Number of processes; the frames do not depend on it.
        force: Replace a mini data set that is there; never replaces anything else.
        progress: Called with the number of clips done and their total.
    Returns:
        True if it was rendered, False if it was there with the same arguments.
    Raises:
        UserError: If an argument is out of range, or ``output`` cannot be written or holds something else.
    """
    arguments = arguments or MiniArguments()
    arguments.check()
    if workers < 1:
        raise UserError(f"workers ({workers}) must be 1 or more.")
    output = Path(output).expanduser().resolve()
    versions = {"av": av.__version__, "numpy": np.__version__, "opencv": cv2.__version__}
    try:
        if may_reuse(output, arguments, force):
            return False
        with put_in_place(output) as root:
            clips = list_clips(arguments)
            for folder in {clip.path.parent for clip in clips}:
                (root / folder).mkdir(parents=True, exist_ok=True)
            _render_all(root, arguments, clips, workers, progress)
            write_annotations(root, arguments, clips, versions)
    except (OSError, BrokenProcessPool) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"output ({output}) cannot be written: {reason}; choose another folder.") from error
    return True
