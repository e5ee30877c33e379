"""Counts, names and lines as the preparation prints them."""

from collections.abc import Sequence

__all__ = ["counted", "printable", "some"]


def counted(count: int, noun: str) -> str:
    """``1 clip``, ``2 clips``, ``3 classes``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def some(names: Sequence[str], most: int = 5) -> str:
    """The first names, and dots for the others."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def printable(text: str) -> str:
    """One line of UTF-8: bytes of file names that are none, and line breaks, show as escapes."""
    escaped = text.replace("\n", "\\n").replace("\r", "\\r")
    return escaped.encode("utf-8", "backslashreplace").decode("utf-8")
