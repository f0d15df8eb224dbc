"""Read text with quotes, names and missing values without Spark, for a plan, as Spark's reader of CSV does."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from nn.data.arrays import LARGEST
from nn.data.quoted_text import QuotedText, is_number

Cells = list[str | None]  # of a column, None for missing values


def read_columns(
    paths: Sequence[str], text: QuotedText, skip: int, missing_values: Collection[str]
) -> list[Cells] | None:
    """Return the cells of each column of all files; None where a row has another width or a cell several lines."""
    columns: list[Cells] = [[] for _ in range(text.width)]
    try:
        for cells in _rows(paths, text, skip):
            if len(cells) != text.width or any("\n" in cell or "\r" in cell for cell in cells):
                return None  # a line end in quotes is read with --read-option multiLine=true alone
            for column, cell in zip(columns, cells, strict=True):
                column.append(None if cell in missing_values else cell)
    except csv.Error:  # a field of more than 131,072 characters, such as behind a quote that is never closed
        return None
    return columns


def _rows(paths: Sequence[str], text: QuotedText, skip: int) -> Iterator[list[str]]:
    """Yield the cells of each row of all files, without headers, comments and blank lines."""
    header = [*text.header, *[""] * (text.width - len(text.header))]
    for path in paths:
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
            lines = (line for number, line in enumerate(file) if number >= skip and not text.is_comment(line))
            for row in csv.reader(
                lines, delimiter=text.separator, quotechar=text.quote, skipinitialspace=True
            ):
                cells = [cell.strip() for cell in row]
                if cells and not (text.header and cells in (header, list(text.header))):
                    yield cells


def numbers(cells: Cells) -> np.ndarray | None:
    """Return the cells as numbers (n,) float64, NaN for missing values; None where one is no number within float32."""
    if not all(cell is None or is_number(cell) for cell in cells):
        return None
    values = np.array(list(_floats(cells)), np.float64)
    return None if (np.abs(values) > LARGEST).any() else values


def _floats(cells: Cells) -> Iterator[float]:
    return (np.nan if cell is None else float(cell) for cell in cells)
