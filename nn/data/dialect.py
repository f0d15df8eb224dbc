"""Detect the dialect of a text file from its first lines: separator, width, header or not.

A header is one of
    names          no field is a number; a row with the same number of fields follows
    numbers        0,1,..,n-1 or 1..n, as pandas names columns without names, or repeated values that pandas has made
                   distinct: 0,0.1,0.2
    label,0,1,2    both
A first line of numbers only, fewer than SURE, may be a row after all: the user gets a note.
"""

from __future__ import annotations

import re
from typing import NamedTuple

AUTO, YES, NO = HEADERS = ("auto", "yes", "no")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", None: "blanks"}
LOOKED_AT = 3  # lines from which the dialect is detected
FEWEST, SURE = 3, 10  # how many column numbers may be a header; how many certainly are one
BYTE_ORDER_MARK = "\ufeff"

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NOT_FINITE = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)
# How programs write missing values.
MISSING = re.compile(r"|NA|N/A|NaN|null|none|\?|-|\.|missing", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_RENAMED = re.compile(r"(\d+)\.([1-9]\d*)", re.ASCII)  # a repeated column name, as pandas writes it


class Dialect(NamedTuple):
    """The format of the rows of a text file."""

    separator: str | None  # None: any run of whitespace
    width: int  # values in a row
    header: str = AUTO  # one of HEADERS
    numbered: bool = False  # AUTO: whether numbers, as in the module docstring, are a header too
    skip: int = 0  # lines before the header or the first row of a file
    hint: str = ""  # what to do if the first line of a file is neither a header nor a row
    names: tuple[str, ...] = ()  # of the columns, from the header of the first file


def separator_of(line: str) -> str | None:
    """Return the most frequent separator in a row, or None (whitespace) if there is no other.

    If there are semicolons or vertical bars, commas are decimal commas.
    """
    counts = {mark: line.count(mark) for mark in SEPARATORS if mark is not None}
    if counts[";"] or counts["|"]:
        counts[","] = 0
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else None


def fields_of(line: str, separator: str | None) -> list[str]:
    """Split a line into fields, without whitespace around them and without a byte-order mark."""
    return [field.strip() for field in line.removeprefix(BYTE_ORDER_MARK).split(separator)]


def is_header(line: str, dialect: Dialect) -> bool:
    """Return whether a line, the first of a file after the skipped ones, is a header."""
    if dialect.header != AUTO:
        return dialect.header == YES
    fields = fields_of(line, dialect.separator)
    if len(fields) != dialect.width:
        return False
    return _are_names(fields) or ((dialect.numbered or _is_sure(fields)) and _count_columns(fields))


def dialect_of(lines: list[str], header: str = AUTO, skip: int = 0) -> Dialect:
    """Detect the dialect from up to LOOKED_AT lines that follow the `skip` skipped ones.

    The width is that of the rows, or of the header if there is nothing else.
    """
    first, below = lines[0], [line for line in lines[1:] if line.removeprefix(BYTE_ORDER_MARK).strip()]
    row = below[0] if header == YES and below else first
    separator = separator_of(row)
    width = max(1, len(fields_of(row, separator)))  # a blank line has no field
    dialect = Dialect(separator, width, header, skip=skip)
    return _with_header_found(dialect, first, below) if header == AUTO and below else dialect


def names_of(line: str, dialect: Dialect) -> tuple[str, ...]:
    """Return the column names of a header, without quotes; none if it contains numbers."""
    fields = fields_of(line, dialect.separator)
    return tuple(map(unquoted, fields)) if _are_names(fields) else ()


def first_difference(names: tuple[str, ...], others: tuple[str, ...]) -> tuple[int, str, str] | None:
    """Return (number, name, other name) of the first column whose names differ; None for other widths."""
    pairs = zip(names, others, strict=True) if len(names) == len(others) else ()
    named = ((number, *pair) for number, pair in enumerate(pairs))
    return next((column for column in named if column[1].casefold() != column[2].casefold()), None)


def header_note(line: str, dialect: Dialect) -> str | None:
    """Return a note on a header that might be a row, or None."""
    fields = fields_of(line, dialect.separator)
    if dialect.header != AUTO or not all(map(_is_number, fields)) or _is_sure(fields):
        return None
    return f"line {dialect.skip + 1} ({','.join(fields)}) is read as a header; --header no reads it as a row"


def _with_header_found(dialect: Dialect, first: str, below: list[str]) -> Dialect:
    """Complete the dialect, which was detected from the first line, with the lines below it."""
    own = fields_of(first, dialect.separator)
    separator = separator_of(below[0])
    names, *rows = (fields_of(line, separator) for line in [first, *below])
    if all(map(_is_number, own)):
        agreed = len({len(row) for row in rows}) == 1 and len(rows) > 1
        if agreed and len(names) != len(rows[0]) and all(map(_is_number, rows[0])):
            return Dialect(separator, len(rows[0]), skip=dialect.skip, hint=_leave_out(dialect.skip))
        return dialect._replace(numbered=len(names) == len(rows[0]) and _count_columns(names))
    if not any(_looks_like_number(field) for row in rows for field in row):
        return dialect._replace(header=NO)  # no numbers at all: the first line is not better than the others
    if len(names) != len(rows[0]):
        if _is_number(own[0]) and not all(map(_is_number, rows[0])):
            return dialect._replace(header=NO)  # both begin like rows, and are not
        return Dialect(separator, len(rows[0]), skip=dialect.skip, hint=_leave_out(dialect.skip))
    complete = Dialect(separator, len(names), skip=dialect.skip)
    if _are_names(names) or not all(map(_is_number, rows[0])):
        return complete
    if _count_columns(names):
        return complete._replace(numbered=True)
    if names[0] and all(_is_number(name) or MISSING.fullmatch(name) for name in names):
        return complete  # a row with missing values, not a header of pandas, which begins with an empty name
    hint = f"a header with numbers in it? --header yes reads it as one; {_leave_out(dialect.skip)}"
    return complete._replace(hint=hint)


def _leave_out(skip: int) -> str:
    return f"--skip-lines {skip + 1} leaves it out if it is a header or no row"


def _are_names(fields: list[str]) -> bool:
    return not all(map(MISSING.fullmatch, fields)) and not any(map(_looks_like_number, fields))


def _is_sure(fields: list[str]) -> bool:
    """Return whether there are too many numbers to be a row by coincidence, if they are column numbers."""
    return sum(map(_is_number, fields)) >= SURE


def _count_columns(fields: list[str]) -> bool:
    """Return whether the numbers among the fields are column numbers."""
    numbers = [unquoted(field) for field in fields if _is_number(field)]
    if len(numbers) < FEWEST:
        return False
    return any(numbers == _counted_from(start, len(numbers)) for start in (0, 1)) or _renamed(numbers)


def _counted_from(start: int, count: int) -> list[str]:
    return list(map(str, range(start, start + count)))


def _renamed(numbers: list[str]) -> bool:
    """Return whether these are integers whose repetitions pandas has made distinct, as 7, 7.1, 7.2."""
    seen: dict[str, int] = {}
    for number in numbers:
        again = _RENAMED.fullmatch(number)
        name, count = (again[1], int(again[2])) if again else (number, 0)
        if not name.isdigit() or seen.get(name, 0) != count:
            return False
        seen[name] = count + 1
    return len(numbers) - len(seen) >= FEWEST - 1


def _is_number(field: str) -> bool:
    field = unquoted(field)
    return bool(NUMBER.fullmatch(field) or NOT_FINITE.fullmatch(field))


def _looks_like_number(field: str) -> bool:
    """Return whether a field is a number with a decimal point or comma; commas are refused later."""
    return _is_number(field) or bool(DECIMAL_COMMA.fullmatch(unquoted(field)))


def unquoted(field: str) -> str:
    """Return a field without quotes around it; rows may not have them."""
    quoted = len(field) > 1 and field[0] == field[-1] and field[0] in "\"'"
    return field[1:-1].strip() if quoted else field
