"""Text files of one sentence per line: UTF-8, and only ``\\n`` ends a line (transcripts hold other breaks, too)."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import UserError

__all__ = ["decode_lines", "read_lines", "read_pairs", "write_lines"]


def decode_lines(content: bytes, source: str) -> Iterator[str]:
    """Yield the lines of UTF-8 text, without their ends.

    Args:
        source: What the text is called in an error.
    Raises:
        UserError: If a line is not UTF-8.
    """
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1]:  # behind the last line's end
        lines.pop()
    for number, line in enumerate(lines, start=1):
        try:
            yield line.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise UserError(
                f"{source}, line {number}, is not UTF-8 (byte 0x{line[error.start]:02x} at position "
                f"{error.start + 1} of the line); convert the text to UTF-8."
            ) from error


def read_lines(path: str | Path, what: str = "text file") -> list[str]:
    """Read all lines of a file.

    Raises:
        UserError: If the file cannot be read or is not UTF-8.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{what} ({path}) cannot be read: {error.strerror}; check the path.") from error
    return list(decode_lines(content, str(path)))


def read_pairs(source: str | Path, target: str | Path) -> list[tuple[str, str]]:
    """Read two files whose lines of one number belong together.

    Raises:
        UserError: If the files have different numbers of lines.
    """
    sides = [read_lines(path) for path in (source, target)]
    if len(sides[0]) != len(sides[1]):
        raise UserError(
            f"{source} has {len(sides[0]):,} lines and {target} has {len(sides[1]):,}; line n of one must be the "
            "translation of line n of the other, so both need the same number."
        )
    return list(zip(*sides, strict=True))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a file as ``read_lines`` reads it."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
