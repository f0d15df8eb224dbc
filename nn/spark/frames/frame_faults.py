"""Refuse rows of a DataFrame that cannot be learned from: one line with the column, a count and an example."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.core.errors import DataError
from nn.data import csv
from nn.data.block import LARGEST_WEIGHT
from nn.spark.frames.frame_table import INDEXER, FrameTable
from nn.spark.input import table_columns
from nn.spark.input.table_columns import ARRAY, VECTOR, Kind
from nn.spark.input.table_layout import Layout
from nn.spark.input.table_rows import LABEL, VALIDATION, WEIGHT
from nn.spark.input.text_source import CellFaults, SplitStats

LONGEST = 60  # characters of a cell in a message


def refuse_faults(table: FrameTable, layout: Layout, all_stats: list[SplitStats]) -> None:
    """Raise DataError for the first kind of fault, and where there are no rows."""
    zeros = np.zeros(layout.width, np.int64)
    faults = sum((stats.cells for stats in all_stats if stats.cells is not None), CellFaults(zeros, zeros))
    columns = layout.columns
    assert columns.label is not None
    if faults.labels:
        raise _side(table, layout, LABEL, columns.label, faults.labels)
    if faults.weights:
        assert columns.weight is not None
        raise _side(table, layout, WEIGHT, columns.weight, faults.weights)
    if faults.flags:
        assert columns.validation is not None
        raise _side(table, layout, VALIDATION, columns.validation, faults.flags)
    missing_values = faults.missing_values if layout.missing == "error" else zeros
    if (faults.bad + missing_values).any():
        raise _features(table, layout, faults.bad + missing_values)
    if not any(stats.rows for stats in all_stats):
        left = " without a missing value" if layout.missing == "drop" else ""
        raise DataError(f"expected rows{left}, found none in {table.path}")


def _side(table: FrameTable, layout: Layout, side: str, index: int, count: int) -> DataError:
    """Return the error for labels, weights or validation rows that are none."""
    from pyspark.sql import functions as sql

    value = layout.sides()[side]
    reader = layout.label_reader
    if side == WEIGHT:
        param, expected, good = "weightCol", f"weights from 0 to {LARGEST_WEIGHT:g}", value <= LARGEST_WEIGHT
    elif side == VALIDATION:
        param, expected, good = "validationIndicatorCol", "true or false", value <= 1
    elif reader.is_regression:
        param, expected, good = "labelCol", "finite numbers", sql.abs(value) < float("inf")
    else:
        largest = (reader.classes or csv.MAX_CLASSES) - 1
        param, expected, good = "labelCol", f"whole numbers in 0..{largest}", value <= largest
    if side != LABEL or not reader.is_regression:
        good = good & (value >= 0)
    cell = _example(table, index, ~sql.coalesce(good & ~sql.isnan(value), sql.lit(False)))
    advice = f"; {INDEXER}" if side == LABEL and not reader.is_regression else ""
    return DataError(
        f"{param}: column {table.name_of(index)!r}: expected {expected}, found {_rows(count)} with other values, "
        f"such as {cell}{advice}"
    )


def _features(table: FrameTable, layout: Layout, counts: np.ndarray) -> DataError:
    """Return the error for features that are null, NaN, infinite or of another size."""
    from pyspark.sql import functions as sql

    input_ = int(np.flatnonzero(counts)[0])
    owner = int(np.repeat(np.arange(len(layout.kinds)), [kind.width for kind in layout.kinds])[input_])
    index, kind = layout.columns.inputs[owner], layout.kinds[owner]
    column, type_name, missing_values = table.cell(index)
    advice = ""
    if kind.kind in (ARRAY, VECTOR):
        floats = table_columns.numbers(column, Kind(type_name, kind.width), [0.0] * kind.width)
        is_bad = sql.exists(floats, _is_no_number) | column.isNull()
        expected = f"{kind.width} finite numbers within float32 in each row"
    elif kind.kind == table_columns.NUMBER:
        is_bad = _is_no_number(table_columns.number(column, type_name, missing_values).cast("float"))
        expected = "finite numbers within float32"
        advice = '; missing="mean" fills missing values'
    elif kind.kind == table_columns.BYTES:
        is_bad = column.isNull() | (sql.length(column) != kind.width)
        expected = f"{kind.width} bytes in each row"
    else:
        is_bad = table_columns.name(column, type_name, missing_values).isNull()
        expected = "a value in each row"
    return DataError(
        f"featuresCol: column {table.name_of(index)!r}: expected {expected}, found {_rows(int(counts[input_]))} with "
        f"other values, such as {_example(table, index, is_bad)}{advice}"
    )


def _is_no_number(value: Any) -> Any:
    from pyspark.sql import functions as sql

    return value.isNull() | sql.isnan(value) | (sql.abs(value) == float("inf"))


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _example(table: FrameTable, index: int, is_bad: Any) -> str:
    """Return a cell of a row that is bad, and its row's label where it is another cell."""
    found = table.collect(table.frame.filter(is_bad).limit(1))
    if not found:
        return "a value that is another now: does the DataFrame change between its actions?"
    row = found[0]
    text = "null" if row[index] is None else str(row[index])
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    others = [(number, name) for number, name in enumerate(table.names) if number != index][-3:]
    rest = ", ".join(f"{name}={str(row[number])[:20]}" for number, name in others)
    return f"{shown} in the row with {rest}" if rest else shown
