"""Divide data that has no splits of its own."""

import random
from collections.abc import Iterable

__all__ = ["split_stratified"]


def split_stratified(
    clips: Iterable[tuple[str, str]], shares: dict[str, float], seed: int
) -> tuple[dict[str, str], list[str]]:
    """Draw a split for each clip, class by class.

    A class gives each split its share, rounded, and at least one clip as long as training keeps one. What a class draws
    depends on the seed and its own clips alone, so that a new class leaves the others as they were.

    Args:
        clips: Pairs of path and class.
        shares: Share of each split besides training, in 0..1.
    Returns:
        Split by path, and the classes that have too few clips for every split.
    """
    by_class: dict[str, list[str]] = {}
    for path, name in clips:
        by_class.setdefault(name, []).append(path)
    splits, small = {}, []
    for name, paths in sorted(by_class.items()):
        paths = sorted(paths)
        random.Random(f"{seed}/{name}").shuffle(paths)
        wanted = [split for split, share in shares.items() if share > 0]
        if len(paths) <= len(wanted):
            small.append(name)
        start = 0
        for split in wanted:
            count = min(max(1, round(shares[split] * len(paths))), len(paths) - 1 - start)
            splits |= dict.fromkeys(paths[start : start + count], split)
            start += count
        splits |= dict.fromkeys(paths[start:], "train")
    return splits, small
