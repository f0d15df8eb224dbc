"""Text with quotes, names and missing values, written by Python's csv module; the true cells are known."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nn.data import quoted_rows, quoted_text
from tests.robustness.fuzzing_common import ACCEPTED, NUMBER, NUMBERS, REFUSED, Random, bent

MISSING_VALUES = ("", "NA", "NaN", "nan", "?", "null", "NULL")
PLAIN = [
    "red",
    "green",
    "New York",
    "Überlingen",
    "東京",
    "x.y",
    "a-b",
    "🦆",
    "1x",
    "1e",
    "--1",
    "=1+1",
    "None",
]
QUOTED = [
    "Washington, DC",
    'say "yes"',
    "a;b",
    "x|y",
    "tab\there",
    "it's",
    ',"',
    "'q'",
    '"',
    "#1",
    "a\\b",
    "\\",
]
LARGE = ["70000.25", "-1700000000", "1e30"]
BAD = object()  # a cell that is to be refused
MARKS = [",", ";", "\t", "|", " "]


class Text(NamedTuple):
    """A file's text, and what it says."""

    text: str
    cells: list[list[str]]  # of each row, as written
    names: list[str]  # of the header; none: there is none
    separator: str
    quote: str
    missing_values: tuple[str, ...]
    is_clear: bool  # whether separator and quote can be told from the text


def quoted(random: Random, labels: Sequence[str] = ()) -> Text:
    """The text of a table: columns of numbers, of strings and of both, with missing values, quotes and comments.

    With labels, one more column holds one of them in each row.
    """
    width, mark = random.randint(1, 6), random.choice(MARKS[:4] * 3 + MARKS)
    quote = '"' if random.random() < 0.85 else "'"
    words = [*PLAIN, *QUOTED] if random.random() < 0.6 else PLAIN
    missing_value, own = random.choice([0, 0, 0.1, 0.4]), random.choice([(), (), ("-9", "missing")])
    columns = []
    for _ in range(width):
        kind = random.random()
        some = random.sample(words, random.randint(1, 5))
        some = (
            [*NUMBERS, *LARGE][:: random.randint(1, 2)]
            if kind < 0.5
            else some
            if kind < 0.95
            else [*NUMBERS[:3], *some]
        )
        columns.append([*some, "two\nlines"] if random.random() < 0.03 else some)
    rows = [
        [
            random.choice((*MISSING_VALUES, *own))
            if random.random() < missing_value
            else random.choice(column)
            for column in columns
        ]
        for _ in range(random.randint(1, 25))
    ]
    if labels:
        rows = [[*row, random.choice(labels)] for row in rows]
    names = [f"{random.choice(['c', 'c ', 'Größe', 'a' + mark])}{n}" for n in range(len(rows[0]))]
    names = names if random.random() < 0.6 else []
    style = random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    style = csv.QUOTE_ALL if own and style == csv.QUOTE_NONNUMERIC else style  # which writes -9.0 for -9
    end = random.choice(["\n", "\n", "\r\n"])
    lines = _lines([names, *rows] if names else rows, mark, quote, style)
    lines = [line for line in lines for line in [line, *[""] * (random.random() < 0.01)]]
    if random.random() < 0.1:
        lines.insert(random.choice([0, len(lines)]), "# made by me")
    text = end.join([*lines, ""] if random.random() < 0.9 else lines)
    text = "\ufeff" * (random.random() < 0.05) + text
    return Text(text, rows, names, mark, quote, own, _is_clear(lines, rows, names, mark, quote))


def _lines(rows: Sequence[list[str]], mark: str, quote: str, style: int) -> list[str]:
    lines = []
    for row in rows:
        buffer = io.StringIO()
        cells = [
            float(cell) if style == csv.QUOTE_NONNUMERIC and NUMBER.fullmatch(cell) else cell for cell in row
        ]
        writer = csv.writer(buffer, delimiter=mark, quotechar=quote, quoting=style, lineterminator="")
        writer.writerow(cells)
        line = buffer.getvalue()
        lines.append(line)
    return lines


def _is_clear(lines: list[str], rows: list[list[str]], names: list[str], mark: str, quote: str) -> bool:
    """Whether no cell holds what may be taken for another separator or another quote, and rows have several cells."""
    cells = [cell for row in [names, *rows] for cell in row]
    if len(rows[0]) == 1 or any("\n" in cell for cell in cells):
        return False
    if any(other in cell for cell in cells for other in [*MARKS[:4], '"', "'"] if other != mark):
        return False
    if any(line.startswith("#") and line != "# made by me" for line in lines):
        return False
    used = any(quote in line for line in lines)
    return mark != " " and (used or quote == '"')


def lines_of(text: Text) -> list[str]:
    """The lines of a file, whose ends are CR, LF or both."""
    return [line.rstrip("\r\n") for line in io.StringIO(text.text.removeprefix("\ufeff"), newline="")]


def true_cells(text: Text, found: quoted_text.QuotedText) -> list[list[str | None]]:
    """The rows as Python's csv module reads them with a separator and a quote; None for missing values."""
    form: Any = {"delimiter": found.separator, "quotechar": found.quote, "skipinitialspace": True}

    def is_comment(line: str) -> bool:
        return line.startswith("#") and len(next(csv.reader([line], **form))) != found.width

    lines = io.StringIO(text.text.removeprefix("\ufeff"), newline="")
    read = csv.reader((line for line in lines if not (found.comment and is_comment(line))), **form)
    rows = [[cell.strip() for cell in row] for row in read if row]
    header = list(found.header)
    padded = [*header, *[""] * (found.width - len(header))]
    rows = [row for row in rows if not header or row not in (header, padded)]
    return [
        [None if cell in (*MISSING_VALUES, *text.missing_values) else cell for cell in row] for row in rows
    ]


def with_missing(rows: list[list[str]], text: Text) -> list[list[str | None]]:
    """Rows as written, without blanks around cells, missing values as None."""
    return [
        [None if cell.strip() in (*MISSING_VALUES, *text.missing_values) else cell.strip() for cell in row]
        for row in rows
    ]


def text_column(cells: Sequence[str | None]) -> list[Any]:
    """The values of a column of text: numbers if half of its cells are, and BAD for the others; else strings."""
    filled = [cell for cell in cells if cell is not None]
    if 2 * sum(NUMBER.fullmatch(cell) is not None for cell in filled) < len(filled):
        return list(cells)
    return [None if cell is None else float(cell) if NUMBER.fullmatch(cell) else BAD for cell in cells]


def quoted_file(random: Random) -> str:
    """A file as --dry-run reads it: its cells as they were written, and its format, where that is clear."""
    text = quoted(random)
    damaged = random.random() < 0.1
    content = bent(random, text.text.encode()) if damaged else text.text.encode()
    header = random.choice(["auto", "auto", "yes", "no"]) if text.names else random.choice(["auto", "no"])
    if damaged:
        text = text._replace(text=content.decode("utf-8", errors="replace"), is_clear=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(content)
        lines = lines_of(text)
        if not any(line.strip() for line in lines):
            return REFUSED
        found = quoted_text.inspect(lines, header, missing_values=(*MISSING_VALUES, *text.missing_values))
        try:
            columns = quoted_rows.read_columns([str(path)], found, 0, (*MISSING_VALUES, *text.missing_values))
        except csv.Error as error:
            raise AssertionError(f"{text} read as {found}: {error}") from None
    shown = f"{text} read as {found}: {columns}"
    if text.is_clear:
        assert (found.separator, found.quote, found.width) == (
            text.separator,
            text.quote,
            len(text.cells[0]),
        ), shown
        _judge_header(text, found, header, shown)
    try:
        true = true_cells(text, found)
    except csv.Error:
        true = []
    if columns is None:
        is_row = [
            len(row) == found.width and not any("\n" in (c or "") or "\r" in (c or "") for c in row)
            for row in true
        ]
        assert not all(is_row) or not true, shown
        return REFUSED
    rows = [list(row) for row in zip(*columns, strict=True)]
    assert rows == true, (rows, true, shown)
    if (text.is_clear and text.names == list(found.header)) or (
        text.is_clear and not text.names and not found.header
    ):
        written = with_missing(text.cells, text)
        assert (
            damaged or [r for r in rows if any(r)] == [r for r in written if any(r)] or _same(rows, written)
        ), shown
    return ACCEPTED


def _same(rows: list[list[str | None]], written: list[list[str | None]]) -> bool:
    """Whether rows are the same where numbers that csv.QUOTE_NONNUMERIC wrote otherwise count as the same."""
    return len(rows) == len(written) and all(
        mine == other or (mine and other and NUMBER.fullmatch(other) and float(mine) == float(other))
        for row, true in zip(rows, written, strict=True)
        for mine, other in zip(row, true, strict=True)
    )


def _judge_header(text: Text, found: quoted_text.QuotedText, header: str, shown: str) -> None:
    """Raise AssertionError where a header that is plain to see is none, or the other way round."""
    columns = list(zip(*text.cells, strict=True))
    missing_values = (*MISSING_VALUES, *text.missing_values)
    filled = [[cell.strip() for cell in column if cell.strip() not in missing_values] for column in columns]
    numeric = [bool(cells) and all(map(NUMBER.fullmatch, cells)) for cells in filled]
    if header == "yes" or (header == "auto" and text.names and any(numeric)):
        assert list(found.header) == text.names, shown
    elif header == "no" or (header == "auto" and not text.names and all(numeric) and len(text.cells) > 1):
        first_is_row = all(NUMBER.fullmatch(cell.strip()) for cell in text.cells[0])
        assert not found.header or not first_is_row or header == "auto", shown
        if header == "no":
            assert not found.header, shown
