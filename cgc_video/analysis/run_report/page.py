"""A self-contained HTML page: no script, no network, pictures inside; readable on a phone."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

__all__ = ["Section", "embed", "embed_file", "render", "table"]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --accent: #2563eb; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
img { max-width: 100%; height: auto; background: #fff; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid var(--line); overflow-wrap: normal; } td.number { text-align: right; }
figure { margin: 1rem 0; } figcaption { font-size: .9rem; }
details pre { overflow-x: auto; font-size: .8rem; padding: .5rem; border: 1px solid var(--line); }
.big { font-size: 2rem; font-weight: 600; color: var(--accent); }
"""


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it, as HTML."""

    title: str
    body: str


def embed(image: np.ndarray, alt: str) -> str:
    """An image ``(H, W, 3)`` RGB as an ``img`` element that holds its bytes."""
    encoded = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
    return _element(encoded, alt)


def embed_file(path: Path, alt: str) -> str:
    """A PNG file as an ``img`` element that holds its bytes."""
    return _element(path.read_bytes(), alt)


def _element(png: bytes, alt: str) -> str:
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table that scrolls by itself on a narrow screen; ``numbers`` are the columns aligned to the right."""

    def cells(row: Sequence[str]) -> str:
        kinds = (' class="number"' if column in numbers else "" for column in range(len(row)))
        return "".join(f"<td{kind}>{html.escape(text)}</td>" for kind, text in zip(kinds, row, strict=True))

    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join(f"<tr>{cells(row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def render(title: str, sections: Sequence[Section]) -> str:
    """The whole page."""
    body = "\n".join(f"<section><h2>{html.escape(part.title)}</h2>\n{part.body}\n</section>" for part in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )
