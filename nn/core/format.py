"""Text that may hold anything, from files, paths or words, as it can be shown on a terminal."""

from __future__ import annotations

MOST = 2000  # characters of a line


def line(text: str) -> str:
    """One line: what would end it or steer the terminal is escaped, and what is too long is cut."""
    shown = "".join(each if each.isprintable() else _escaped(each) for each in text)
    return shown if len(shown) <= MOST else shown[: MOST - 3] + "..."


def lines(text: str) -> str:
    """Several such lines."""
    return "\n".join(map(line, text.split("\n")))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
