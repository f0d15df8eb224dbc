"""What a terminal shows: printable lines, and help that breaks no word."""

from __future__ import annotations

import argparse
import sys
import textwrap
from typing import TextIO

MOST = 1900  # characters of a line that holds a user's words


def printable(text: str) -> str:
    """Return the text as one line: what would end it or steer the terminal, and what is no text, is escaped."""
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    return shown if len(shown) <= MOST else shown[: MOST - 3] + "..."


def say(text: str, stream: TextIO | None = None, start: str = "", end: str = "\n") -> None:
    """Print one line, on stdout where no stream is given; characters that the stream cannot encode are escaped."""
    stream = sys.stdout if stream is None else stream
    encoding = stream.encoding or "utf-8"
    shown = printable(text).encode(encoding, "backslashreplace").decode(encoding)
    print(f"{start}{shown}", file=stream, end=end, flush=True)


class HelpFormatter(argparse.HelpFormatter):
    """Fill lines to the terminal's width and break no word at a hyphen."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(self._split_lines(text, width))
