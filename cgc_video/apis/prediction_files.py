"""Predictions as JSON and CSV."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from .recognition import Moment

__all__ = ["write_csv", "write_json"]

Results = Mapping[str, Sequence[Moment] | str]  # moments by source, or why there are none


def write_json(path: str | Path, results: Results) -> None:
    """An object per source: ``source`` and ``moments``, or ``error``; classes and probabilities, and of a window frame numbers, and seconds
    where known."""
    found = [
        {"source": source, "error": moments}
        if isinstance(moments, str)
        else {"source": source, "moments": [_as_dict(moment) for moment in moments]}
        for source, moments in results.items()
    ]
    Path(path).write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_csv(path: str | Path, results: Results) -> None:
    """A row per source, moment and class, and one per source that could not be read."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["source", "start_frame", "stop_frame", "rank", "label", "name", "probability", "error"])
        for source, moments in results.items():
            if isinstance(moments, str):
                writer.writerow([source, "", "", "", "", "", "", moments])
                continue
            for moment in moments:
                for rank, found in enumerate(moment.predictions, start=1):
                    row = [
                        source,
                        moment.start if moment.stop else "",
                        moment.stop or "",
                        rank,
                        found.label,
                        found.name,
                        f"{found.probability:.6f}",
                        "",
                    ]
                    writer.writerow(row)


def _as_dict(moment: Moment) -> dict:
    seconds = (
        {"start_seconds": moment.start / moment.fps, "stop_seconds": moment.stop / moment.fps} if moment.fps else {}
    )
    frames = {"start_frame": moment.start, "stop_frame": moment.stop} if moment.stop else {}
    return {**frames, **seconds, "predictions": [asdict(found) for found in moment.predictions]}
