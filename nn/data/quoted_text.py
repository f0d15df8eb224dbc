"""Detect how the fields of a text file are quoted, separated and named, from its first lines.

The first line is a header if
    above numbers     a column has a name above cells of which none but missing values are no numbers, or
    numbered          it is one by the rules of nn/data/dialect.py, or
    nowhere again     rows have no numbers at all, several columns, and no cell of it occurs again in its column.
A file of labels alone has a header only above numbers.

A line that starts with # is a comment where it has another number of fields than the rows; else it is a row, or the
header: colors such as #ff0000 and names such as #id are data.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from nn.data import dialect

MISSING_VALUES = ("", "NA", "NaN", "nan", "?", "null", "NULL")  # how cells without a value are written
LOOKED_AT = 1000  # lines
COMMENT = "#"


class QuotedText(NamedTuple):
    """The format of the rows of a text file whose fields may be strings."""

    separator: str
    quote: str
    comment: str  # what comments start with; empty: there are none
    width: int
    header: tuple[str, ...]  # the cells of the header; none: there is no header

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns: R leaves out that of the row names."""
        if not self.header or len(self.header) == self.width:
            return self.header
        return ("", *self.header)

    def is_comment(self, line: str) -> bool:
        """Return whether a line is a comment, which no row is read from."""
        if not self.comment or not line.startswith(self.comment):
            return False
        return len(_fields(line, self.separator, self.quote)) != self.width

    @property
    def fault(self) -> str:
        """Return what is wrong with the header; an empty text where nothing is."""
        if not self.header or len(self.header) in (self.width, self.width - 1):
            return ""
        return (
            f"expected {self.width:,} names in the header, one for each value of a row, found {len(self.header):,}; "
            "--header no reads it as a row, --skip-lines leaves lines out"
        )


def inspect(
    lines: list[str],
    header: str = dialect.AUTO,
    is_labels: bool = False,
    separator: str = "",
    quote: str = "",
    missing_values: tuple[str, ...] = MISSING_VALUES,
) -> QuotedText:
    """Detect the format from the first lines, of which one at least is not blank; "" for what is to be detected."""
    lines = [line for line in lines if line.strip()]
    plain = [line for line in lines if not line.startswith(COMMENT)] or lines
    separator = separator or _separator(plain)
    quote = quote or _quote(plain, separator)
    widths = [len(_fields(line, separator, quote)) for line in plain]
    width = Counter(widths[1:] or widths).most_common(1)[0][0]
    text = QuotedText(separator, quote, COMMENT, width, ())
    rows = [_fields(line, separator, quote) for line in lines if not text.is_comment(line)]
    comment = COMMENT if len(rows) < len(lines) else ""
    first, below = rows[0], rows[1:] or rows
    fits = len(first) in (width, width - 1) and len(rows) > 1
    names = ["", *first] if len(first) < width else first
    if header == dialect.AUTO:
        has_header = fits and _is_header(
            names, [row for row in below if len(row) == width], is_labels, missing_values
        )
    else:
        has_header = header == dialect.YES
    return text._replace(comment=comment, header=tuple(first) if has_header else ())


def lines_of(text: str) -> list[str]:
    """Return the lines of a text as readers of files cut them: str.splitlines knows more ends, such as U+2028."""
    return [line.rstrip("\r\n") for line in io.StringIO(text, newline="")]


def is_number(cell: str) -> bool:
    """Return whether a cell is a number."""
    return dialect.NUMBER.fullmatch(cell.strip()) is not None


def are_numbers(cells: Collection[str]) -> bool:
    """Return whether more than half of the cells are numbers."""
    return 2 * sum(map(is_number, cells)) > len(cells)


def _separator(lines: list[str]) -> str:
    """Return the most frequent separator outside of quotes, of those that each line has as many of if there are any.

    Commas beside another one are decimal.
    """
    outside = ["".join(line.split('"')[::2]) for line in lines[:20]]
    counts = {mark: [line.count(mark) for line in outside] for mark in dialect.SEPARATORS if mark is not None}
    found = [mark for mark in counts if any(counts[mark])]
    found = [mark for mark in found if len(set(counts[mark])) == 1] or found
    found = [mark for mark in found if mark != ","] or found
    if found:
        return max(found, key=lambda mark: sum(counts[mark]))
    return " " if any(" " in line.strip() for line in lines[:20]) else ","


def _quote(lines: list[str], separator: str) -> str:
    if any('"' in line for line in lines):
        return '"'
    mark = re.escape(separator)
    single = re.compile(rf"(?:^|{mark})\s*'(?:[^']|'')+'\s*(?:{mark}|$)")  # the field may hold separators
    return "'" if any(map(single.search, lines)) else '"'


def _fields(line: str, separator: str, quote: str) -> list[str]:
    try:
        (row,) = csv.reader([line], delimiter=separator, quotechar=quote, skipinitialspace=True)
    except (csv.Error, ValueError):
        row = line.split(separator)
    return [cell.strip() for cell in row]


def _is_header(
    first: list[str], below: list[list[str]], is_labels: bool, missing_values: tuple[str, ...]
) -> bool:
    columns = list(zip(*below, strict=True))
    filled = [[cell for cell in column if cell not in missing_values] for column in columns]
    numeric = [bool(cells) and all(map(is_number, cells)) for cells in filled]
    named = [not is_number(name) and name not in missing_values for name in first]
    if any(is_named and above for is_named, above in zip(named, numeric, strict=True)):
        return True
    if is_labels:
        return False
    is_numbered = dialect.is_header(",".join(first), dialect.Dialect(",", len(first), numbered=True))
    if is_numbered and any(map(is_number, first)):
        return any(numeric) or _is_new(first, columns)
    return not any(numeric) and _is_new(first, columns)


def _is_new(first: list[str], columns: list[tuple[str, ...]]) -> bool:
    """Return whether several distinct cells of the first line occur nowhere below in their columns."""
    distinct = len(set(first)) == len(first) > 1
    return distinct and all(name not in column for name, column in zip(first, columns, strict=True))
