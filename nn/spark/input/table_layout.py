"""Lay out the rows of a table for the executors: one DataFrame, whose columns are arrays of inputs and single numbers.

The JVM does all casts. Inputs that follow each other travel in one array<float>; the label, the weight and the other
side columns travel as doubles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from nn.core.errors import DataError
from nn.data import csv
from nn.data.columns import Columns
from nn.data.labels import LabelReader
from nn.data.schema import ColumnSchema
from nn.spark.input import table_columns
from nn.spark.input.table_columns import (
    ARRAY,
    BYTES,
    CATEGORY,
    NUMBER,
    SAFE_TYPES,
    STRING,
    TEXT,
    VECTOR,
    Kind,
)
from nn.spark.input.table_rows import LABEL, VALIDATION, WEIGHT, Piece, RowPlan
from nn.spark.input.table_source import RECORD, Table

# Columns of one type, from which one expression casts them all: each expression costs about 3 ms on the driver.
LONG_RUN = 16
KEPT = "kept"  # rows with missing values or bad cells go on as they are: their predictions are null
IN_ARRAYS = (*SAFE_TYPES, STRING, TEXT)


class Layout(NamedTuple):
    """A table and what its columns stand for."""

    table: Table
    columns: Columns
    kinds: tuple[Kind, ...]  # of the columns of inputs
    schema: tuple[ColumnSchema, ...]  # of the inputs: as many as the widths of the kinds add up to
    label_reader: LabelReader
    missing: str  # one of nn.data.schema.MISSING, or KEPT
    kept: tuple[int, ...] = ()  # columns that go on as they are, for tables of predictions
    # Names of columns whose missing values the model that predicts does not fill.
    unfilled: frozenset[str] = frozenset()

    @property
    def width(self) -> int:
        """Return the number of inputs per row."""
        return sum(kind.width for kind in self.kinds)

    @property
    def row_bytes(self) -> int:
        """Estimate the bytes of a row of inputs."""
        return sum(kind.bytes for kind in self.kinds)

    @property
    def place(self) -> str:
        """Return the argument and the path, for a message."""
        return f"{self.table.argument}: {self.table.path}"

    def rows(self) -> tuple[RowPlan, Any]:
        """Return how a row is laid out, and the DataFrame of the rows."""
        from pyspark.sql import functions as sql

        pieces, expressions = _inputs(self)
        sides = self.sides()
        rules = self.missing == "error", self.missing == "drop", self.missing == KEPT
        plan = RowPlan(tuple(pieces), tuple(sides), self.label_reader.is_regression, *rules, len(self.kept))
        named = [expression.alias(f"p{number}") for number, expression in enumerate(expressions)]
        named += [expression.alias(name) for name, expression in sides.items()]
        named += [self.table.column(index).alias(f"k{number}") for number, index in enumerate(self.kept)]
        return plan, self.table.frame.select(sql.spark_partition_id().alias("split"), *named)

    def sides(self) -> dict[str, Any]:
        """Return the expressions of the side columns by name."""
        from pyspark.sql import functions as sql

        table, columns, sides = self.table, self.columns, {}
        if columns.label is not None:
            sides[LABEL] = self._label(columns.label)
        if columns.weight is not None:
            sides[WEIGHT] = table_columns.number(*table.cell(columns.weight))
        if columns.validation is not None:
            sides[VALIDATION] = table_columns.flag(*table.cell(columns.validation))
        if table.has_record:
            sides[RECORD] = sql.col(RECORD).isNotNull().cast("double")
        return sides

    def _label(self, index: int) -> Any:
        reader = self.label_reader
        column, type_name, missing_values = self.table.cell(index)
        if reader.is_regression:
            return table_columns.number(column, type_name, missing_values)
        if reader.values is None:
            return table_columns.own_class_number(
                column, type_name, reader.classes or csv.MAX_CLASSES, missing_values
            )
        return table_columns.class_number(column, type_name, reader.values, missing_values)


def _inputs(layout: Layout) -> tuple[list[Piece], list[Any]]:
    """Return the pieces of a row and their expressions."""
    from pyspark.sql import functions as sql

    pieces: list[Piece] = []
    expressions: list[Any] = []
    scalars: list[Any] = []

    def add(piece: Piece, expression: Any) -> None:
        pieces.append(piece)
        expressions.append(expression)

    def end_of_scalars() -> None:
        if scalars:
            add(Piece(len(scalars)), sql.array(*scalars))
            scalars.clear()

    for numbers, schema in _runs(layout):
        kind = layout.kinds[numbers[0]]
        if kind.kind not in (NUMBER, CATEGORY):
            end_of_scalars()
            add(Piece(kind.width, kind.kind == BYTES), _numbers(layout, numbers[0], schema))
        elif len(numbers) >= LONG_RUN:
            end_of_scalars()
            add(Piece(len(numbers)), _array(layout, numbers, schema))
        else:
            pairs = zip(numbers, schema, strict=True)
            scalars += [_scalar(layout, number, column).cast("float") for number, column in pairs]
    end_of_scalars()
    return pieces, expressions


def _runs(layout: Layout) -> Iterator[tuple[list[int], Sequence[ColumnSchema]]]:
    """Yield the positions in `kinds` of columns of numbers of one type that follow each other; others alone."""

    def key(number: int) -> Any:
        type_name = layout.table.types[layout.columns.inputs[number]]
        return type_name if layout.kinds[number].kind == NUMBER and type_name in IN_ARRAYS else number

    first = 0
    for _, group in groupby(range(len(layout.kinds)), key):
        numbers = list(group)
        end = first + sum(layout.kinds[number].width for number in numbers)
        yield numbers, layout.schema[first:end]
        first = end


def _array(layout: Layout, numbers: Sequence[int], schema: Sequence[ColumnSchema]) -> Any:
    """Return the expression of columns of numbers of one type."""
    from pyspark.sql import functions as sql

    # A text for Spark's parser is one call into Java, columns are two calls each.
    names = ", ".join(layout.table.id_of(layout.columns.inputs[number]) for number in numbers)
    values = sql.expr(f"array({names})")
    _, type_name, missing_values = layout.table.cell(layout.columns.inputs[numbers[0]])
    if type_name in (STRING, TEXT):
        values = sql.transform(values, lambda cell: table_columns.number(cell, type_name, missing_values))
    return table_columns.numbers(values, Kind(ARRAY, len(numbers)), [column.offset for column in schema])


def _scalar(layout: Layout, number: int, schema: ColumnSchema) -> Any:
    """Return the expression of a column of numbers, or of the codes of categories."""
    column, type_name, missing_values = layout.table.cell(layout.columns.inputs[number])
    if layout.kinds[number].kind == CATEGORY:
        return table_columns.category(column, type_name, schema.values or (), missing_values)
    value = table_columns.number(column, type_name, missing_values)
    return value - schema.offset if schema.offset else value


def _numbers(layout: Layout, number: int, schema: Sequence[ColumnSchema]) -> Any:
    """Return the expression of an array, a vector or bytes.

    A value of another width than in the training set becomes cells that are bad. Raises DataError for another type.
    """
    from pyspark.sql import functions as sql

    index, kind = layout.columns.inputs[number], layout.kinds[number]
    column, type_name, _ = layout.table.cell(index)
    if type_name not in (ARRAY, VECTOR, "binary") or (type_name == "binary") != (kind.kind == BYTES):
        raise DataError(
            f"{layout.table.argument}: column {layout.table.name_of(index)!r} of {layout.table.path}: expected "
            f"{kind.kind} as in the training set, found {type_name}"
        )
    if kind.kind == BYTES:
        return sql.when(sql.length(column) == kind.width, column)
    return table_columns.numbers(column, Kind(type_name, kind.width), [one.offset for one in schema])
