"""Where the time of ``cgc_video.apis.predict`` goes."""

import cProfile
import pstats
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..apis.recognition import Recognizer, predict, predict_many
from ..apis.sources import open_source
from ..datasets.transforms import VideoDecode
from ..models.recognizers import ClipRecognizer2D

__all__ = ["PredictionProfile", "profile_prediction"]

# Functions that hold the parts: their time includes all that they call, and none calls another.
_PARTS = {
    "network": (ClipRecognizer2D._score_chunk,),
    "decoder": (open_source, VideoDecode.transform),
}


@dataclass(frozen=True)
class PredictionProfile:
    """Seconds of one pass over the sources.

    Attributes:
        total: Of ``predict``, source after source, under the profiler.
        parts: Of that, in the network and in the decoder.
        ahead: Of ``predict_many`` over the same sources, which decodes ahead.
        one_by_one: Of ``predict`` over them, without the profiler.
    """

    sources: int
    total: float
    parts: dict[str, float]
    ahead: float
    one_by_one: float

    def to_text(self) -> str:
        rows = {**self.parts, "the rest": self.total - sum(self.parts.values())}
        lines = [f"{self.sources} sources, {self.total:.2f} s in predict"]
        lines += [f"  {name:<9}{seconds:8.2f} s  {seconds / self.total:6.1%}" for name, seconds in rows.items()]
        lines.append(f"one by one {self.one_by_one:.2f} s, decoding ahead (predict_many) {self.ahead:.2f} s")
        return "\n".join(lines)


def profile_prediction(recognizer: Recognizer, sources: Sequence[str], workers: int = 2) -> PredictionProfile:
    """Profile ``predict`` over sources that are called one by one, and time both ways without the profiler.

    The profiler's own cost falls on Python code, hence mostly on "the rest": its share is an upper bound.

    Args:
        workers: Threads of ``predict_many``.
    Raises:
        UserError: If a source cannot be decoded.
    """
    predict(recognizer, sources[0])  # what the first call alone pays for
    profiler = cProfile.Profile()
    profiler.runcall(_each, recognizer, sources)
    start = time.perf_counter()
    _each(recognizer, sources)
    middle = time.perf_counter()
    for _ in predict_many(recognizer, sources, workers=workers):
        pass
    stop = time.perf_counter()
    times = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    parts = {name: sum(_cumulative(times, function) for function in functions) for name, functions in _PARTS.items()}
    return PredictionProfile(len(sources), _cumulative(times, _each), parts, stop - middle, middle - start)


def _each(recognizer: Recognizer, sources: Sequence[str]) -> None:
    for source in sources:
        predict(recognizer, source)


def _cumulative(times: dict, function) -> float:
    code = getattr(function, "__wrapped__", function).__code__
    return times[code.co_filename, code.co_firstlineno, code.co_name][3]
