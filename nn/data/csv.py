"""Parse lines of text into arrays, a thousand at a time; report the first line that is not a row, and why.

A line is a row of numbers in the dialect of its file (dialect.py). NumPy reads many lines at once, then width and
finiteness are checked. Only if that fails, the lines are read one by one.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from nn.data import hints
from nn.data.block import LARGEST_WEIGHT
from nn.data.dialect import (
    BYTE_ORDER_MARK,
    NOT_FINITE,
    NUMBER,
    SEPARATORS,
    Dialect,
    first_difference,
    is_header,
    names_of,
)
from nn.data.fixed_width import CellReader

MAX_CLASSES = 1000
MOST_CLASSES = 1 << 15  # where their number is given: class numbers are int16
LARGEST = float(np.finfo(np.float32).max)
EXACT = 2**24  # float32 tells every whole number below from others
CHUNK_ROWS = 1024
CHUNK_BYTES = 32 << 20  # of values in a chunk: very wide rows have smaller chunks
# Bytes of text in a chunk: more than valid rows need, a limit for all other text.
CHUNK_TEXT = 256 << 20

_FILLED = re.compile(r"\S+")
_WHOLE = re.compile(rb"[\d\s,;|+-]+")
MARK = BYTE_ORDER_MARK.encode()
COMMENT = b"#"


class LineError(NamedTuple):
    """The first bad line of a piece of text: a result that workers return to the driver, not an exception."""

    line: int  # counted from 1 within the piece
    expected: str
    found: str
    hint: str = ""  # what to do about it, if known
    # Whether a cell is no number: a reader of quoted fields, text and missing values may read the line.
    in_cell: bool = False

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"expected {self.expected}, found {self.found}{hint}"


class Chunk(NamedTuple):
    """Consecutive valid rows."""

    start: int  # number of the first row within the piece, from 0
    line: int  # its line, from 1
    values: np.ndarray  # (n, width) int32, float32 or float64


class PieceEnd(NamedTuple):
    """The end of a piece of text, with its totals."""

    lines: int
    rows: int
    bytes: int  # of the lines, without line ends
    blank: int  # the first of the blank lines at the end of the piece, from 1; 0: none
    fault: LineError | None = None


def chunk_rows(width: int) -> int:
    """Return the number of rows of a chunk, and so of a block: CHUNK_ROWS, or fewer for very wide rows."""
    return max(1, min(CHUNK_ROWS, CHUNK_BYTES // (4 * width)))


def parse(
    lines: Iterator[bytes], dialect: Dialect, starts_file: bool = True, kind: type = np.float32
) -> Iterator[Chunk | PieceEnd]:
    """Parse a piece of text: yield chunks of rows, then a PieceEnd. All lines are consumed, also after an error.

    `kind` is the type of numbers that are no integers: np.float64 keeps digits that float32 has not.

    At the start of a file, the lines to skip and a header are left out. Blank lines at the end of the piece are
    accepted; the caller checks that the file ends there, too.
    """
    text, cells = _CountedLines(lines), CellReader(_finite) if kind is np.float32 else None
    rows = blank = 0
    fault = None
    if starts_file:
        text.skip(dialect.skip)
    start = text.count if starts_file else None
    while fault is None and (chunk := text.next(chunk_rows(dialect.width))):
        if text.count - len(chunk) == start:
            chunk, fault = _without_header(chunk, dialect)
        line = text.count - len(chunk) + 1  # of the chunk's first row
        while chunk and not chunk[-1].strip():
            chunk.pop()
        if blank and chunk:
            fault = _empty_line(blank, dialect)
            break
        if line + len(chunk) <= text.count:
            blank = blank or line + len(chunk)
        values, error = _rows_before_error(chunk, line, dialect, cells, kind)
        if error and error.line - 1 == start and dialect.hint:
            error = error._replace(hint=dialect.hint)
        fault = fault or error
        if len(values):
            yield Chunk(rows, line, values)
            rows += len(values)
    text.skip(None)
    yield PieceEnd(text.count, rows, text.bytes, 0 if fault else blank, fault)


class _CountedLines:
    """The lines of a piece of text, and the number and the bytes of those that were taken."""

    def __init__(self, lines: Iterator[bytes]):
        self._lines = lines
        self.count = self.bytes = 0

    def next(self, most: int) -> list[bytes]:
        """Take lines as `next_lines` does."""
        chunk = next_lines(self._lines, most)
        self.count += len(chunk)
        self.bytes += sum(map(len, chunk))
        return chunk

    def skip(self, count: int | None) -> None:
        """Take `count` lines, or all for None, and drop them."""
        for line in islice(self._lines, count):
            self.count += 1
            self.bytes += len(line)


def _without_header(chunk: list[bytes], dialect: Dialect) -> tuple[list[bytes], LineError | None]:
    """Return the first lines of a file without a header, and the error in its column names, if any."""
    first, *below = chunk
    first = first.removeprefix(MARK)
    header = _as_text(first)
    if is_header(header, dialect):
        return below, _another_header(dialect.skip + 1, header, dialect)
    return [first, *below], None


def _rows_before_error(
    lines: list[bytes], first_line: int, dialect: Dialect, cells: CellReader | None, kind: type
) -> tuple[np.ndarray, LineError | None]:
    """Return the rows (n, width) before the first bad line, and its error. Those rows may have bad labels."""
    values = to_array(lines, dialect, cells, kind) if lines else np.empty((0, dialect.width))
    if isinstance(values, np.ndarray):
        return values, None
    rows, _ = _rows_before_error(lines[: values.line - 1], first_line, dialect, None, kind)
    return rows, values._replace(line=first_line + values.line - 1)


def _another_header(line: int, header: str, dialect: Dialect) -> LineError | None:
    """Return the error for a header with other column names than in the first file."""
    difference = first_difference(dialect.names, names_of(header, dialect))
    if difference is None:
        return None
    number, name, other = difference
    expected = f"{quoted(name)} as the name of column {number}, as in the first file"
    return LineError(line, expected, quoted(other), "put the columns into the order of the first file")


def next_lines(lines: Iterator[bytes], max_lines: int) -> list[bytes]:
    """Return the next lines: `max_lines`, or fewer if they exceed CHUNK_TEXT bytes."""
    chunk, size = [], 0
    for line in islice(lines, max_lines):
        chunk.append(line)
        size += len(line)
        if size > CHUNK_TEXT:
            break
    return chunk


def to_array(
    lines: list[bytes], dialect: Dialect, cells: CellReader | None = None, kind: type = np.float32
) -> np.ndarray | LineError:
    """Parse rows of text as int32 or `kind` (n, width), or return the first error.

    Lines are bytes, which Spark passes on fastest. Integers are read as integers: NumPy reads them ten times as fast as
    floats. `cells` reads text of a fixed width, see nn/data/fixed_width.py.
    """
    values = cells.read(lines, dialect.separator, dialect.width) if cells else None
    if values is not None:
        return values
    values = _in_bulk(lines, dialect, np.int32) if _WHOLE.fullmatch(lines[0]) else None
    if values is None:
        values = _in_bulk(lines, dialect, kind)
    if values is None or values.shape != (len(lines), dialect.width) or not _all_within_float32(values):
        return _line_by_line(lines, dialect, kind)
    return values


def _all_within_float32(values: np.ndarray) -> bool:
    if values.dtype == np.float64:
        return bool((np.abs(values) <= LARGEST).all())
    return bool(np.isfinite(values).all())


def fault_of(line: str, dialect: Dialect) -> LineError | None:
    """Return the error in a row of text, or None."""
    row = to_array([line.removeprefix(BYTE_ORDER_MARK).encode()], dialect)
    return row if isinstance(row, LineError) else None


def _in_bulk(lines: list[bytes], dialect: Dialect, dtype: type) -> np.ndarray | None:
    """Parse lines with np.loadtxt. Return None if it fails, or warns that it rounds a number."""
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("error", DeprecationWarning)
        warnings.simplefilter("error", UserWarning)  # only blank lines
        try:
            return np.loadtxt(
                lines, dtype, comments=None, delimiter=dialect.separator, ndmin=2, encoding="ascii"
            )
        except (ValueError, OverflowError, DeprecationWarning, UserWarning):
            return None


def _line_by_line(lines: list[bytes], dialect: Dialect, kind: type) -> np.ndarray | LineError:
    values: np.ndarray = np.empty((len(lines), dialect.width), kind)
    for number, line in enumerate(lines, 1):
        row = _row(line, dialect)
        if isinstance(row, LineError):
            return row._replace(line=number)
        values[number - 1] = row
    return values


def _row(line: bytes, dialect: Dialect) -> list[float] | LineError:
    if not line.strip():
        return _empty_line(1, dialect)
    count = _field_count(line, dialect.separator)
    if count != dialect.width:
        found = f"{count} {'value' if count == 1 else 'values'}"
        return LineError(1, _a_row(dialect), found, in_cell=is_beyond_numbers(line))
    fields = [field.strip() for field in _as_text(line).split(dialect.separator)]
    for number, text in enumerate(fields, 1):
        expected = _expected_instead_of(text)
        if expected:
            hint = hints.for_value(text, dialect.width == 1)
            expected = f"{expected} as value {number} of {dialect.width}"
            return LineError(1, expected, quoted(text), hint, in_cell=True)
    return [float(text) for text in fields]


def is_beyond_numbers(line: bytes) -> bool:
    """Return whether a line may have separators inside quotes, or is a comment."""
    return any(mark in line for mark in b"\"'") or line.lstrip().startswith(COMMENT)


def _field_count(line: bytes, separator: str | None) -> int:
    """Count the fields of a line without creating them: a line may have millions."""
    if separator is None:
        return sum(1 for _ in _FILLED.finditer(_as_text(line)))
    return line.count(separator.encode()) + 1


def _expected_instead_of(text: str) -> str | None:
    if not NUMBER.fullmatch(text):
        return "a finite number" if NOT_FINITE.fullmatch(text) else "a number"
    if abs(float(text)) > LARGEST:
        return "a number within float32"
    return None


def _a_row(dialect: Dialect) -> str:
    if dialect.width == 1:
        return "1 value"
    return f"{dialect.width} values separated by {SEPARATORS[dialect.separator]}"


def _empty_line(line: int, dialect: Dialect) -> LineError:
    return LineError(line, _a_row(dialect), "an empty line")


def _as_text(line: bytes) -> str:
    """Decode a line; bytes that are not UTF-8 become U+FFFD, which no number contains."""
    return line.decode("utf-8", errors="replace")


def _finite(text: str) -> float | None:
    return None if _expected_instead_of(text) else float(text)


def quoted(text: str) -> str:
    """Return a field or line from a file in printable form, cut to 40 characters."""
    short = text if len(text) <= 40 else text[:37] + "..."
    return "nothing" if not text else ascii(short)


def compact(values: np.ndarray) -> np.ndarray:
    """Return values as uint8 if all are integers in 0..255, else as float32."""
    if values.size and values.min() >= 0 and values.max() <= 255:
        small = values.astype(np.uint8)
        if np.array_equal(small, values):
            return small
    return values.astype(np.float32, copy=False)


def to_labels(values: np.ndarray, first_line: int = 1, classes: int = MAX_CLASSES) -> np.ndarray | LineError:
    """Convert label rows, (n, 1) class numbers or (n, k) one-hot, to class numbers (n,) int16 below `classes`.

    Return a LineError for the first bad row; `first_line` is the line of the first row.
    """
    if values.shape[1] == 1:
        numbers = values[:, 0]
        good = (numbers >= 0) & (numbers < classes) & (numbers == np.floor(numbers))
        expected = f"a class number in 0..{classes - 1}"
    else:
        numbers = values.argmax(axis=1)
        good = ((values == 0) | (values == 1)).all(axis=1) & (values.sum(axis=1) == 1)
        expected = f"a one-hot row: a single 1 among {values.shape[1]} values, all others 0"
        if good.all():
            good = numbers < classes
            expected = f"the 1 of a one-hot row among its first {classes} values"
    if not good.all():
        row = int(np.argmin(good))
        one_hot = values.shape[1] > 1
        hint = "" if one_hot or classes < MAX_CLASSES else hints.for_label(float(values[row, 0]))
        return LineError(first_line + row, expected, _describe_row(values[row]), hint)
    return numbers.astype(np.int16)


def to_whole_labels(values: np.ndarray, first_line: int = 1) -> np.ndarray | LineError:
    """Convert label rows to whole numbers (n,): int16 where all are class numbers, else int32; also one-hot rows.

    Return a LineError for the first label with a fraction, or too large for float32 to tell it from others.
    """
    numbers = to_labels(values, first_line)
    if isinstance(numbers, np.ndarray) or values.shape[1] > 1:
        return numbers
    labels = values[:, 0]
    is_whole = labels == np.floor(labels)
    good = is_whole & (labels > -EXACT) & (labels < EXACT)
    if good.all():
        return labels.astype(np.int32)
    row = int(np.argmin(good))
    if is_whole[row]:
        expected = f"a whole number of at most {EXACT - 1:,} as the label"
        return LineError(
            first_line + row, expected, f"{labels[row]:.0f}", "--format csv reads others", in_cell=True
        )
    expected = "a whole number or a name as the label"
    hint = hints.for_label(float(labels[row]))
    return LineError(first_line + row, expected, _describe_row(values[row]), hint)


def to_weights(values: np.ndarray, first_line: int = 1) -> np.ndarray | LineError:
    """Convert a column to row weights (n,) float64 in 0..LARGEST_WEIGHT, or return the first error."""
    good = (values >= 0) & (values <= LARGEST_WEIGHT)
    if not good.all():
        row = int(np.argmin(good))
        return LineError(first_line + row, f"a row weight from 0 to {LARGEST_WEIGHT:g}", f"{values[row]:g}")
    return values.astype(np.float64)


def to_flags(values: np.ndarray, first_line: int = 1) -> np.ndarray | LineError:
    """Convert a column of 0 and 1 to flags (n,) bool, or return the first error."""
    good = (values == 0) | (values == 1)
    if not good.all():
        row = int(np.argmin(good))
        return LineError(first_line + row, "0 or 1 in the validation column", f"{values[row]:g}")
    return values == 1


def _describe_row(row: np.ndarray) -> str:
    if len(row) == 1:
        return f"{row[0]:g}"
    if np.count_nonzero(row) == 1 and row.max() == 1:
        return f"it at value {row.argmax() + 1}"
    ones, others = int((row == 1).sum()), int(((row != 0) & (row != 1)).sum())
    return f"{ones} ones and {others} values other than 0 and 1"
