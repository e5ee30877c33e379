"""A place between two marks of a Markdown document, which a tool fills."""

import re
from pathlib import Path

from ..errors import UserError

__all__ = ["fill_place", "marks", "read_document"]


def marks(name: str) -> tuple[str, str]:
    """The comments that open and close the place of that name."""
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


def fill_place(document: str, name: str, text: str, path: str = "the document") -> str:
    """Put ``text`` between the two marks.

    Args:
        path: Of the document, for the message.

    Raises:
        UserError: If the document does not hold the marks once each, in order.
    """
    opening, closing = marks(name)
    pattern = re.compile(f"{re.escape(opening)}.*{re.escape(closing)}", re.DOTALL)
    if document.count(opening) != 1 or document.count(closing) != 1 or not pattern.search(document):
        raise UserError(
            f"{path} must hold {opening} and, after it, {closing}, once each; put them where the text belongs."
        )
    return pattern.sub(lambda _: f"{opening}\n\n{text}\n\n{closing}", document)


def read_document(path: str) -> str:
    """A Markdown file.

    Raises:
        UserError: If it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}); --embed takes a Markdown file.") from error
