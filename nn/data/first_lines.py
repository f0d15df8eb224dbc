"""Inspect the first lines of a file: dialect, header, first row, or the error in the first line."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nn.data import csv, dialect, hints
from nn.data.dialect import Dialect

STRAY = "move the file out of the folder if it is not part of the data"


class FirstLines(NamedTuple):
    """What the first lines of the first file tell about all files of an argument."""

    dialect: Dialect
    has_header: bool
    row: str  # the first one
    notes: tuple[str, ...]  # for the user, on the header and on skipped lines
    fault: csv.LineError | None  # the error in the first line if it is neither a header nor a row
    names: tuple[str, ...] = ()  # of the columns, numbers too, where the first line is a header


def inspect(
    lines: list[str], header: str, skip: int, is_labels: bool, read_start: Callable[[], bytes]
) -> FirstLines:
    """Inspect the first lines, of which those after the `skip` skipped ones are not all blank.

    `is_labels`: the file contains labels only. `read_start` returns the first bytes of the file; it is called if the
    first line is wrong, to recognize other formats.
    """
    skipped, (first, *below) = lines[:skip], lines[skip:]
    detected = dialect.dialect_of([first, *below], header, skip)
    row = next((line for line in below if line.strip()), None)
    notes = _notes_on_skipped(skipped, detected)
    # Names in another encoding than UTF-8 are names; binary data has no row of numbers below.
    is_text = not _is_binary(first) or (row is not None and "\0" not in first)
    has_header = is_text and dialect.is_header(first, detected)
    if has_header and row is not None:
        detected = detected._replace(names=dialect.names_of(first, detected))
        notes += [note] if (note := dialect.header_note(first, detected)) else []
        names = tuple(map(dialect.unquoted, dialect.fields_of(first, detected.separator)))
        names = names if len(names) == detected.width else ()  # a title, which --header yes leaves out
        return FirstLines(detected, True, row, tuple(notes), None, names)
    fault = None if has_header else _fault(first, detected, is_labels)
    if fault is not None and not fault.in_cell:
        fault = _fault_of_quotes(below, detected) or fault
    if (fault is not None or has_header) and (other_format := hints.format_of(read_start())):
        fault = csv.LineError(1, "a row of numbers", other_format)
    return FirstLines(
        detected, has_header, first, tuple(notes), fault and fault._replace(line=skip + fault.line)
    )


def _notes_on_skipped(skipped: list[str], detected: Dialect) -> list[str]:
    """Return a note if a skipped line is a valid row."""
    rows = [number for number, line in enumerate(skipped, 1) if csv.fault_of(line, detected) is None]
    return [f"line {rows[0]} is a valid row, and is left out by --skip-lines {len(skipped)}"] if rows else []


def _fault(first: str, detected: Dialect, is_labels: bool) -> csv.LineError | None:
    """Return the error in a first line that is not a header, or None."""
    if _is_binary(first):
        return csv.LineError(1, "a row of numbers", "bytes that are not text")
    fault = csv.fault_of(first, detected)
    if fault is None:
        return None
    if not first.strip():
        return fault._replace(expected="a row of numbers")
    if detected.width == 1 and not is_labels:
        fault = fault._replace(expected=f"numbers separated by {hints.ANY_SEPARATOR}")
    return fault._replace(hint=detected.hint or fault.hint)


def _fault_of_quotes(below: list[str], detected: Dialect) -> csv.LineError | None:
    """Return the error in the first line below that has quotes, which may hold separators and mislead on the width."""
    for number, line in enumerate(below, 2):
        if csv.is_beyond_numbers(line.encode()) and (fault := csv.fault_of(line, detected)):
            return fault._replace(line=number)
    return None


def _is_binary(line: str) -> bool:
    return "\0" in line or "\ufffd" in line


def error_message(fault: csv.LineError, path: str, skip: int, is_one_of_many: bool) -> str:
    """Return the message for a bad line: path, line, expected, found and what to do."""
    if is_one_of_many and fault.line == skip + 1:
        fault = fault._replace(hint=f"{STRAY}; else {fault.hint}" if fault.hint else STRAY)
    return f"{path}, line {fault.line}: {fault}"
