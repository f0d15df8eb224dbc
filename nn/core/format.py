"""Make text from files, paths or options safe to print on a terminal."""

from __future__ import annotations

MAX_LENGTH = 2000  # characters of a line


def line(text: str) -> str:
    """Escape line ends and control characters; cut a text that is too long."""
    shown = "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)
    return shown if len(shown) <= MAX_LENGTH else shown[: MAX_LENGTH - 3] + "..."


def lines(text: str) -> str:
    """Make each line of a text safe to print."""
    return "\n".join(map(line, text.split("\n")))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
