"""Nearest known name for a mistyped one."""

import difflib
from collections.abc import Iterable

__all__ = ["nearest", "suggestion"]


def nearest(name: str, known: Iterable[str], cutoff: float = 0.5) -> str | None:
    """The known name most like ``name``, or None where none comes close; case does not count."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[found[0]] if found else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """``" (did you mean 'X'?)"`` for the end of a clause, or an empty string."""
    found = nearest(name, known)
    return f" (did you mean {found!r}?)" if found else ""
