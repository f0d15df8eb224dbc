"""Text files of numbers are read line by line, so that a complaint can name the file and the line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

LARGEST_WHOLE = 2**53  # beyond it a float64 no longer holds every whole number
SHOWN_CHARACTERS = 40


class BadFileError(ValueError):
    """A file is missing or malformed; the message names it, what was expected and what was found."""


class NotWrittenError(Exception):
    """A picture or its folder cannot be written; the message names it and says why."""


class NotDrawableError(Exception):
    """The files are in order, but this run's data makes no such picture; the message says why."""


def complaint(path: Path, expected: str, found: str, line: int | None = None) -> BadFileError:
    """The one sentence for everything wrong inside a file."""
    place = f"{path}, line {line}" if line else f"{path}"
    return BadFileError(f"{place}: expected {expected}, found {found}")


def shown(text: str) -> str:
    """A piece of a file as it may stand in a message: quoted, on one line, not too long."""
    if len(text) > SHOWN_CHARACTERS:
        text = text[:SHOWN_CHARACTERS] + "..."
    return repr(text)


def unreadable(path: Path, error: OSError) -> BadFileError:
    """What to say when the file cannot even be opened."""
    if isinstance(error, FileNotFoundError):
        return BadFileError(f"{path}: no such file")
    return BadFileError(f"{path}: cannot be read ({error.strerror or error})")


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, stripped text) of every line; blank lines are allowed at the end only."""
    blank = 0
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            for line, text in enumerate(lines, start=1):
                text = text.strip()
                if not text:
                    blank = blank or line
                elif blank:
                    raise complaint(path, "numbers", "an empty line", blank)
                else:
                    yield line, text
    except OSError as error:
        raise unreadable(path, error) from None


def parts_of(path: Path) -> list[Path]:
    """The file itself, or the part files in sorted order where the path is a folder's."""
    if not path.is_dir():
        return [path]
    parts = sorted(path.glob("part-*"))
    if not parts:
        raise BadFileError(f"{path}: expected part-* files in this folder, found none")
    return parts


def read_table(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header's names, and (line number, fields) of the lines after it, each as wide as the header."""
    lines = numbered_lines(path)
    _, first = next(lines, (0, ""))
    if not first:
        raise complaint(path, "a header line", "an empty file")
    header = [name.strip() for name in first.split(",")]
    return header, _rows(path, lines, len(header))


def _rows(path: Path, lines: Iterator[tuple[int, str]], width: int) -> Iterator[tuple[int, list[str]]]:
    line = 1
    for line, text in lines:
        fields = text.split(",")
        if len(fields) != width:
            raise complaint(path, f"{width} values as in the header", f"{len(fields)}", line)
        yield line, fields
    if line == 1:
        raise complaint(path, "at least one line after the header", "the header only")


def column_places(path: Path, header: list[str], names: tuple[str, ...]) -> list[int]:
    """Where the named columns stand; others may come between and after them."""
    missing = [name for name in names if name not in header]
    if missing:
        raise complaint(path, f"a column named {missing[0]!r} in the header", shown(",".join(header)), 1)
    return [header.index(name) for name in names]


def number(path: Path, line: int, text: str, what: str = "a number") -> float:
    """A float, nan and inf included: a run that diverged writes them."""
    try:
        if "_" in text:  # Python reads 1_000 as a number; no file of ours writes it
            raise ValueError
        return float(text)
    except ValueError:
        raise complaint(path, what, shown(text), line) from None


def whole(path: Path, line: int, text: str, what: str) -> int:
    """A whole number from 0 to 2^53."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) <= LARGEST_WHOLE):
        raise complaint(path, what, shown(text), line)
    return int(digits)
