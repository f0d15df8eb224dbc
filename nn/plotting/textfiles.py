"""Read text files of numbers line by line, so that an error can name the file and the line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

LARGEST_WHOLE = 2**53  # beyond it a float64 no longer holds every whole number
SHOWN_CHARACTERS = 40


class BadFileError(ValueError):
    """A file that is missing or malformed. The message names it, what was expected and what was found."""


class NotWrittenError(Exception):
    """A picture or folder that cannot be written. The message names it and the reason."""


class NotDrawableError(Exception):
    """Valid files from which this picture cannot be drawn. The message gives the reason."""


def bad_file(path: Path, expected: str, found: str, line: int | None = None) -> BadFileError:
    """Return the error for a fault in a file."""
    where = f"{path}, line {line}" if line else f"{path}"
    return BadFileError(f"{where}: expected {expected}, found {found}")


def quoted(text: str) -> str:
    """Return a part of a file for a message: quoted, on one line, at most SHOWN_CHARACTERS long."""
    if len(text) > SHOWN_CHARACTERS:
        text = text[:SHOWN_CHARACTERS] + "..."
    return repr(text)


def unreadable(path: Path, error: OSError) -> BadFileError:
    """Return the error for a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return BadFileError(f"{path}: no such file")
    return BadFileError(f"{path}: cannot be read ({error.strerror or error})")


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, stripped text) of every line. Raises BadFileError for a blank line before others."""
    blank = 0
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            for line, text in enumerate(lines, start=1):
                text = text.strip()
                if not text:
                    blank = blank or line
                elif blank:
                    raise bad_file(path, "numbers", "an empty line", blank)
                else:
                    yield line, text
    except OSError as error:
        raise unreadable(path, error) from None


def parts_of(path: Path) -> list[Path]:
    """Return the file itself, or the part files of a folder in sorted order."""
    if not path.is_dir():
        return [path]
    parts = sorted(path.glob("part-*"))
    if not parts:
        raise BadFileError(f"{path}: expected part-* files in this folder, found none")
    return parts


def read_table(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the names in the header, and an iterator of (line number, fields) over the lines below it.

    Raises BadFileError for a line with another number of fields.
    """
    lines = numbered_lines(path)
    _, first = next(lines, (0, ""))
    if not first:
        raise bad_file(path, "a header line", "an empty file")
    header = [name.strip() for name in _fields(first)]
    return header, _rows(path, lines, len(header))


def _rows(path: Path, lines: Iterator[tuple[int, str]], width: int) -> Iterator[tuple[int, list[str]]]:
    line = 1
    for line, text in lines:
        fields = _fields(text)
        if len(fields) != width:
            raise bad_file(path, f"{width} values as in the header", f"{len(fields)}", line)
        yield line, fields
    if line == 1:
        raise bad_file(path, "at least one line after the header", "the header only")


def _fields(text: str) -> list[str]:
    """Return the fields of a line of CSV, of which some may be quoted."""
    return next(csv.reader([text])) if '"' in text else text.split(",")


def column_indices(path: Path, header: list[str], names: tuple[str, ...]) -> list[int]:
    """Return the indices of the named columns. Raises BadFileError for a missing one; other columns may be there."""
    missing = [name for name in names if name not in header]
    if missing:
        raise bad_file(path, f"a column named {missing[0]!r} in the header", quoted(",".join(header)), 1)
    return [header.index(name) for name in names]


def number(path: Path, line: int, text: str, what: str = "a number") -> float:
    """Return a float; nan and inf are valid, since a run that diverged writes them. Raises BadFileError."""
    try:
        if "_" in text:  # Python reads 1_000 as a number; runs do not write it
            raise ValueError
        return float(text)
    except ValueError:
        raise bad_file(path, what, quoted(text), line) from None


def whole_number(path: Path, line: int, text: str, what: str) -> int:
    """Return a whole number from 0 to 2^53. Raises BadFileError."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) <= LARGEST_WHOLE):
        raise bad_file(path, what, quoted(text), line)
    return int(digits)
