"""The pictures of one explanation: a strip, and for clips a GIF and an MP4."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .explain import Explanation
from .pictures import draw_strip, overlay, write_gif, write_mp4, write_png

__all__ = ["write_explanation"]

_FPS = 4  # of the GIF and the MP4; the frames are those that the network was given, far apart in time


def write_explanation(
    stem: Path, explanations: Sequence[tuple[str, Explanation]], class_names: Sequence[str]
) -> list[Path]:
    """Write ``<stem>.png`` with a row of frames per map, and ``<stem>.gif`` and ``.mp4`` of the last map if there are several frames.

    Args:
        explanations: Of one sample, each with the title of its network (empty for a single one).

    Returns:
        The files written.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    best = explanations[-1][1]
    said = f"{class_names[best.predicted]} ({best.probability:.0%})"
    if best.target != best.predicted:
        said += f"; the maps are for {class_names[best.target]}"
    rows = [(said, best.frames)]
    for network, found in explanations:
        for title, maps in found.maps.items():
            rows.append((f"{network}, {title}" if network else title, overlay(found.frames, maps)))
    files = [stem.with_name(f"{stem.name}.png")]
    write_png(files[0], draw_strip(rows))
    last: np.ndarray = rows[-1][1]
    if len(last) > 1:
        files += [stem.with_name(f"{stem.name}.gif"), stem.with_name(f"{stem.name}.mp4")]
        write_gif(files[1], last, _FPS)
        write_mp4(files[2], last, _FPS)
    return files
