"""Decode the images of a data set beforehand, and say what is wrong with those that fail."""

from collections.abc import Callable, Sequence

from ..decoding.errors import DecodeError
from ..pool import Failure, map_bounded
from ..preparation.checking import CheckResult
from .decode import decode_photo

__all__ = ["check_images"]


def _check_one(path: str) -> int | Failure:
    try:
        decode_photo(path)
    except DecodeError as error:
        return Failure(error.reason)
    return 1


def check_images(
    paths: Sequence[str],
    workers: int = 1,
    seconds: float = 60.0,
    progress: Callable[[int, int], None] = lambda done, total: None,
    tell: Callable[[CheckResult], None] = lambda result: None,
) -> list[CheckResult]:
    """Check images in parallel, as ``preparation.checking.check_clips`` does clips.

    Returns:
        One result per image, in their order.
    """
    results: dict[int, CheckResult] = {}
    progress(0, len(paths))
    for position, result in map_bounded(_check_one, paths, workers, seconds):
        bad = isinstance(result, Failure)
        results[position] = CheckResult(paths[position], int(not bad), result.reason if bad else None)
        if bad:
            tell(results[position])
        progress(len(results), len(paths))
    return [results[position] for position in range(len(paths))]
