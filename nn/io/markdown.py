"""Markdown that shows strings of any user as they are: code spans, which no character in them can end, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nn.core import format

LONGEST = 80  # characters of a text


def code(text: object, longest: int = LONGEST) -> str:
    """Return a text as a code span on one line, for paragraphs and tables; longer ones are cut.

    Characters that end lines or steer terminals are escaped, as is |, which would end a cell of a table.
    """
    shown = format.line(str(text)).replace("|", "\\x7c") or " "
    if len(shown) > longest:
        shown = f"{shown[:longest]}..."
    # A span ends at as many backticks as it began with.
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    space = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{space}{shown}{space}{fence}"


def codes(texts: Sequence[object], most: int) -> str:
    """Return strings with commas between them, at most a number of them."""
    more = f", ... ({len(texts):,} in all)" if len(texts) > most else ""
    return ", ".join(map(code, texts[:most])) + more


def table(header: Sequence[str], rows: Iterable[Sequence[str]], most: int) -> str:
    """Return a table of at most `most` rows; a line below it says how many were left out."""
    rows = list(rows)
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows[:most]))
    more = len(rows) - most
    if more <= 0:
        return lines
    return f"{lines}\n\n{format.counted(more, 'more row')} {'is' if more == 1 else 'are'} left out here."


def block(text: str, language: str = "") -> str:
    """Return lines of ours as a block of code."""
    return f"```{language}\n{text}\n```"
