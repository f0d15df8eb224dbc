"""Refuse a table with cells that are no values: one line that counts them by column, with an example.

The executors count faults (table_rows.py); here, on the driver, a query looks for one cell to show.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nn.core.errors import DataError
from nn.data import csv
from nn.data.schema import ColumnSchema
from nn.spark.input import formats, table_columns
from nn.spark.input.table_columns import NUMBER
from nn.spark.input.table_layout import KEPT, Layout
from nn.spark.input.table_rows import LABEL, LARGEST_WEIGHT
from nn.spark.input.table_source import RECORD, Table
from nn.spark.input.text_source import CellFaults, SplitStats

LONGEST = 40  # characters of a cell in a message
SHOWN = 5  # columns in a message


class BadCellsError(DataError):
    """Cells of columns of numbers are no numbers."""


def refuse_faults(layout: Layout, all_stats: list[SplitStats]) -> None:
    """Raise DataError for cells that are no values, and where there are no rows."""
    zeros = np.zeros(layout.width, np.int64)
    faults = sum((stats.cells for stats in all_stats if stats.cells is not None), CellFaults(zeros, zeros))
    place, missing, goes_on = layout.place, layout.missing, layout.missing == KEPT
    if faults.records and not goes_on:
        raise DataError(f"{place}: {_count(faults.records, 'line')} no rows{_example_record(layout.table)}")
    if faults.bad.any() and not goes_on:
        raise _bad_cells(layout, faults.bad)
    if faults.labels:
        raise _bad_labels(layout, faults.labels)
    if faults.weights:
        bound = f"0 to {LARGEST_WEIGHT:g}"
        raise DataError(f"{place}: expected row weights from {bound}, found {faults.weights:,} others")
    if faults.flags:
        raise DataError(
            f"{place}: expected true or false, or 1 or 0, in the validation column, found {faults.flags:,} others"
        )
    if faults.rows_with_missing and missing == "error":
        listed = _listed(layout.schema, np.flatnonzero(faults.missing_values), faults.missing_values)
        have = "row has" if faults.rows_with_missing == 1 else "rows have"
        raise DataError(
            f"{place}: {faults.rows_with_missing:,} {have} missing values, in {listed}; --missing mean, zero or "
            "indicator fills them, --missing drop leaves the rows out"
        )
    unfilled = faults.missing_values * [column.name in layout.unfilled for column in layout.schema]
    if unfilled.any():
        listed = _listed(layout.schema, np.flatnonzero(unfilled), unfilled)
        raise DataError(
            f"{place}: missing values in {listed}, which the model does not fill; "
            "--bad-rows null leaves the predictions of such rows empty"
        )
    if faults.rows_with_missing and missing == "drop":
        rows = f"{faults.rows_with_missing:,} {'row' if faults.rows_with_missing == 1 else 'rows'} with missing values"
        are = "is" if faults.rows_with_missing == 1 else "are"
        layout.table.notes.append(f"{layout.table.argument}: {rows} {are} left out (--missing drop)")
    if not any(stats.rows for stats in all_stats):
        raise DataError(f"{place}: expected rows, found none")


def _count(number: int, noun: str) -> str:
    return f"1 {noun} is" if number == 1 else f"{number:,} {noun}s are"


def _listed(schema: Sequence[ColumnSchema], indices: np.ndarray, counts: np.ndarray) -> str:
    parts = [f"column {schema[index].name!r} ({counts[index]:,})" for index in indices[:SHOWN]]
    more = f" and {len(indices) - SHOWN:,} more columns" if len(indices) > SHOWN else ""
    return ", ".join(parts) + more


def _example_record(table: Table) -> str:
    from pyspark.sql import functions as sql

    rows = table.frame.filter(sql.col(RECORD).isNotNull())
    (row,) = table.collect(rows.select(sql.input_file_name(), RECORD).limit(1)) or [("", "")]
    text = str(row[1])
    count = "" if table.how.format != formats.CSV else f" of {table.width} fields"
    return f"{count}, such as {text[:LONGEST]!a} in {row[0]}; a quoted line end needs --read-option multiLine=true"


def _bad_cells(layout: Layout, bad: np.ndarray) -> BadCellsError:
    """Return the error for cells that are no numbers, with an example of the first column that has some."""
    indices = np.flatnonzero(bad)
    owner = np.repeat(np.arange(len(layout.kinds)), [kind.width for kind in layout.kinds])[indices[0]]
    column, kind = layout.columns.inputs[owner], layout.kinds[owner]
    example = _example(layout.table, column) if kind.kind == NUMBER else ""
    expected = "numbers within float32" if kind.kind == NUMBER else f"{kind.width} numbers a row"
    return BadCellsError(
        f"{layout.place}: expected {expected}, found other cells in {_listed(layout.schema, indices, bad)}"
        f"{example}; --missing-values WORD takes a word for a missing value, --categorical NAME reads a column as "
        "categories, --drop-columns NAME leaves it out"
    )


def _example(table: Table, column: int) -> str:
    from pyspark.sql import functions as sql

    value = table_columns.number(*table.cell(column))
    is_bad = sql.abs(value) > csv.LARGEST
    rows = table.frame.filter(is_bad & ~sql.isnan(value)).select(sql.input_file_name(), table.column(column))
    found = table.collect(rows.limit(1))
    return f", such as {str(found[0][1])[:LONGEST]!a} in {found[0][0]}" if found else ""


def _bad_labels(layout: Layout, count: int) -> DataError:
    from pyspark.sql import functions as sql

    table, reader, index = layout.table, layout.label_reader, layout.columns.label or 0
    value = layout.sides()[LABEL]
    is_bad = sql.isnan(value) | (sql.abs(value) == float("inf"))
    if not reader.is_regression:
        is_bad = is_bad | (value < 0)
    found = table.collect(
        table.frame.filter(is_bad).select(sql.input_file_name(), table.column(index)).limit(1)
    )
    example = ""
    if found:
        cell = "a missing value" if found[0][1] is None else repr(str(found[0][1])[:LONGEST])
        example = f", such as {cell} in {found[0][0]}"
    expected = "a number as the target of each row" if reader.is_regression else "a label in each row"
    if reader.values is not None or (reader.classes is not None and not reader.is_regression):
        expected = reader.expected
    return DataError(
        f"{layout.place}: column {table.name_of(index)!r}: expected {expected}, found {count:,} other cells{example}"
        f"{reader.advice}"
    )
