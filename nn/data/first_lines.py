"""Look at the first lines of a file: its layout, its header, its first row, or what is wrong with its first line."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nn.data import csv, dialect, hints
from nn.data.dialect import Dialect

STRAY = "move the file out of the folder if it is no part of the data"


class FirstLines(NamedTuple):
    """What the first lines of the first file of an argument say of all of its files."""

    dialect: Dialect
    has_header: bool
    row: str  # the first one
    notes: tuple[str, ...]  # what the user should know of the header and of skipped lines
    fault: csv.LineError | None  # what is wrong with the first line, which is neither a header nor a row


def look(lines: list[str], header: str, skip: int, is_labels: bool, start: Callable[[], bytes]) -> FirstLines:
    """Look at the first lines, of which those after the first `skip` ones are not all blank.

    `is_labels` says that the file holds nothing but labels; `start` gives the first bytes of the file, and is called
    where the first line is wrong.
    """
    skipped, (first, *below) = lines[:skip], lines[skip:]
    found = dialect.dialect_of([first, *below], header, skip)
    row = next((line for line in below if line.strip()), None)
    notes = _of_skipped(skipped, found)
    # Names in another encoding than UTF-8 are names; bytes that are no text have no row of numbers below them.
    is_text = not _is_binary(first) or (row is not None and "\0" not in first)
    has_header = is_text and dialect.is_header(first, found)
    if has_header and row is not None:
        found = found._replace(names=dialect.names_of(first, found))
        notes += [note] if (note := dialect.header_note(first, found)) else []
        return FirstLines(found, True, row, tuple(notes), None)
    fault = None if has_header else _fault(first, found, is_labels)
    if (fault is not None or has_header) and (known := hints.format_of(start())):
        fault = csv.LineError(1, "a row of numbers", known)
    return FirstLines(found, has_header, first, tuple(notes), fault and fault._replace(line=skip + 1))


def _of_skipped(skipped: list[str], found: Dialect) -> list[str]:
    """Return a note where a line that is skipped reads as a row."""
    rows = [number for number, line in enumerate(skipped, 1) if csv.fault_of(line, found) is None]
    return [f"line {rows[0]} reads as a row, and is left out by --skip-lines {len(skipped)}"] if rows else []


def _fault(first: str, found: Dialect, is_labels: bool) -> csv.LineError | None:
    """Return what is wrong with a first line that is no header."""
    if _is_binary(first):
        return csv.LineError(1, "a row of numbers", "bytes that are no text")
    fault = csv.fault_of(first, found)
    if fault is None:
        return None
    if not first.strip():
        return fault._replace(expected="a row of numbers")
    if found.width == 1 and not is_labels:
        fault = fault._replace(expected=f"numbers separated by {hints.ANY_SEPARATOR}")
    return fault._replace(advice=found.advice or fault.advice)


def _is_binary(line: str) -> bool:
    return "\0" in line or "\ufffd" in line


def placed(fault: csv.LineError, path: str, skip: int, is_one_of_many: bool) -> str:
    """Return the message for a fault in a file: path, line and what to do."""
    if is_one_of_many and fault.line == skip + 1:
        fault = fault._replace(advice=f"{STRAY}; else {fault.advice}" if fault.advice else STRAY)
    return f"{path}, line {fault.line}: {fault}"
