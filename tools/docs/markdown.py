"""Markdown of the generated pages: tables, code spans and paragraphs of docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any

NOTE = (
    "<!-- Written by `python -m tools.docs.reference`: change the code that it names, and run it again. -->"
)
SOURCE = re.compile(
    r"\((?:\w+: )?([A-Z][\w ,.-]*?\b(?:19|20)\d\d(?:; [A-Z][^()]*?\d{4})*)[^()]*\)"  # (Polyak, 1964)
    r"|((?:[A-Z]\w+, )*[A-Z]\w+ and [A-Z]\w+) \((\d{4})"  # Nocedal and Wright (2006
)


def page(title: str, *parts: str) -> str:
    """Return a page: its title, the note that it is generated, and its parts, an empty line between two of them."""
    return "\n\n".join([f"# {title}", NOTE, *filter(None, parts)]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(re.sub(r"\|  (?=\|)", "| ", f"| {' | '.join(cells)} |") for cells in lines)


def code(text: object) -> str:
    """Return a text as a code span that may stand in a cell of a table."""
    shown = " ".join(str(text).split()).replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def cell(text: str) -> str:
    """Return plain text as the content of a cell: characters that Markdown or HTML would take for marks are escaped."""
    return re.sub(r"([|*<\[])", r"\\\1", " ".join(text.split()))


def block(text: str, language: str = "") -> str:
    """Return lines as a block of code."""
    return f"```{language}\n{text}\n```"


def paragraphs(item: Any) -> str:
    """Return a docstring as Markdown; its indented lines stay as they are, as code."""
    parts = re.split(r"\n\s*\n", inspect.getdoc(item) or "")
    return "\n\n".join(part if part.startswith("    ") else _paragraph(part) for part in parts)


def _paragraph(text: str) -> str:
    """Return a paragraph, or a list where its lines begin with hyphens."""
    if not text.startswith("- "):
        return _prose(text)
    return "\n".join(f"- {_prose(item)}" for item in re.split(r"(?:^|\n)- ", text)[1:])


def first_line(item: Any) -> str:
    """Return the first line of a docstring as plain text, without the papers that it names."""
    return re.sub(rf" (?:{SOURCE.pattern})", "", (inspect.getdoc(item) or "").splitlines()[0])


def source_of(item: Any) -> str:
    """Return the papers that a docstring names, as "Kingma and Ba, 2015"; an empty text where it names none."""
    text = " ".join((inspect.getdoc(item) or "").split())
    found = (first or f"{authors}, {year}" for first, authors, year in SOURCE.findall(text))
    return "; ".join(dict.fromkeys(found))


def _prose(text: str) -> str:
    """Escape what Markdown takes for marks, but not within code spans."""
    pieces = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([*<\[|])", r"\\\1", piece) for piece in pieces
    )
