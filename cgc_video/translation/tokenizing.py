"""Tokenise many lines in several processes."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

from .text import Tokenizer

__all__ = ["tokenize_lines"]

_LINES_PER_JOB = 200


@cache
def _tokenizer(language: str) -> Tokenizer:
    return Tokenizer(language)


def _tokenize(language: str, lines: Sequence[str]) -> list[str]:
    tokenizer = _tokenizer(language)
    return [tokenizer(line) for line in lines]


def tokenize_lines(
    lines: Sequence[str],
    language: str,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """Tokenise lines of a language, in their order.

    Args:
        workers: Processes; one tokenises several hundred lines a second.
        progress: Called with the number of lines done and their total.
    """
    jobs = [lines[start : start + _LINES_PER_JOB] for start in range(0, len(lines), _LINES_PER_JOB)]
    tokenized: list[str] = []
    _tokenizer(language)  # a missing package is told here, before processes start

    def collect(parts) -> None:
        for part in parts:
            tokenized.extend(part)
            progress(len(tokenized), len(lines))

    if workers == 1 or len(jobs) == 1:
        collect(_tokenize(language, job) for job in jobs)
        return tokenized
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
        collect(pool.map(_tokenize, [language] * len(jobs), jobs))
    return tokenized
