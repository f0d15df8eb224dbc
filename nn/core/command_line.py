"""Command lines with argparse: the layout of --help, and errors that are one line.

Lines of --help are filled to the terminal's width, and broken between words and after commas only.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import NoReturn

from nn.core.format import print_line

USAGE_ERROR = 2  # exit code


class OneLineParser(argparse.ArgumentParser):
    """Prints an error as one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Print the error and end with code 2."""
        print_line(f"{self.prog}: error: {message} (see --help)", sys.stderr)
        sys.exit(USAGE_ERROR)


class HelpFormatter(argparse.HelpFormatter):
    """Break no word at a hyphen, and a word that is longer than a line only after a comma.

    In descriptions an empty line ends a paragraph, and lines that start with a blank stay as they are.
    """

    def _split_lines(self, text: str, width: int) -> list[str]:
        return filled(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = (block.splitlines() for block in text.split("\n\n"))
        return "\n\n".join("\n".join(_laid_out(block, width)) for block in blocks)


def _laid_out(block: list[str], width: int) -> Iterator[str]:
    """Fill the lines of a paragraph; those that start with a blank stay as they are."""
    prose: list[str] = []
    for line in block:
        if not line.startswith(" "):
            prose.append(line)
            continue
        yield from filled(" ".join(prose), width)
        prose = []
        yield line
    yield from filled(" ".join(prose), width)


def filled(text: str, width: int) -> list[str]:
    """Return the words of a text in lines of at most `width` characters, as far as its words allow."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
            continue
        first, *rest = re.findall(r"[^,]+,*|,+", word) if len(word) > width else [word]
        if lines and rest and len(lines[-1]) + 1 + len(first) <= width:
            lines[-1] += " " + first
        else:
            lines.append(first)
        for part in rest:
            if len(lines[-1]) + len(part) <= width:
                lines[-1] += part
            else:
                lines.append(part)
    return lines
