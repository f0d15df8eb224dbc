"""What a terminal shows: printable lines, errors of one line, and help that breaks no word."""

from __future__ import annotations

import argparse
import sys
import textwrap
from typing import NoReturn, TextIO

USAGE_ERROR = 2


MOST = 1900  # characters of a line that holds a user's words


def printable(text: str) -> str:
    """Return the text as one line: what would end it or steer the terminal, and what is no text, is escaped."""
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    return shown if len(shown) <= MOST else shown[: MOST - 3] + "..."


def say(text: str, stream: TextIO | None = None) -> None:
    """Print one line, on stdout where no stream is given; characters that the stream cannot encode are escaped."""
    stream = sys.stdout if stream is None else stream
    encoding = stream.encoding or "utf-8"
    shown = printable(text).encode(encoding, "backslashreplace").decode(encoding)
    print(shown, file=stream, flush=True)


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and end with code 2."""
        say(f"{self.prog}: error: {message} (see --help)", sys.stderr)
        sys.exit(USAGE_ERROR)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Leave descriptions as they are, and break no word at a hyphen."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)
