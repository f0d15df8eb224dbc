"""The columns of a user's DataFrame as a table that nn.spark.input reads: what each stands for, and its type."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from nn.core.errors import DataError
from nn.data import quoted_text
from nn.data.columns import Columns
from nn.data.labels import CLASSIFICATION, REGRESSION, LabelReader
from nn.data.schema import ColumnSchema, categories_of
from nn.spark.frames.interface import FrameColumns, FrameRequest
from nn.spark.input import formats, table_columns
from nn.spark.input.table_categories import Counts, are_names_of_rows, count_values
from nn.spark.input.table_columns import ARRAY, BYTES, CATEGORY, NUMBER, NUMBER_TYPES, STRING, VECTOR, Kind
from nn.spark.input.table_layout import Layout
from nn.spark.input.table_source import Table, TableFormat

_log = logging.getLogger("nn.ml")

ROWS = "the DataFrame"
FIRST_ROWS = 100  # of which the sizes of vectors and arrays are taken
INDEXER = "pyspark.ml.feature.StringIndexer gives class numbers"


class FrameTable(Table):
    """The columns of a DataFrame that a request names, in this order: features, label, weight, validation rows."""

    def __init__(self, frame: Any, request: FrameRequest, context: Any):
        columns = request.columns
        self.context, self.argument, self.path = context, ROWS, ROWS
        self.how = TableFormat(formats.TABLE)
        self.notes: list[str] = []
        self.has_record = False
        self.names = names_of(columns)
        self.width = len(self.names)
        for name in self.names:
            if name not in frame.columns:
                raise DataError(f"expected a column {name!r}; {ROWS} has {_listed(frame.columns)}")
        with self.readable():
            chosen = frame.select(*map(quoted, self.names))
            if request.partitions is not None:
                chosen = placed_by_values(chosen, request.partitions)
            self.frame = chosen.toDF(*map(self.id_of, range(self.width)))
            fields = self.frame.schema.fields
            self.types = tuple(table_columns.type_of(field.dataType, has_types=True) for field in fields)
            is_known = isinstance(columns.features, str) and request.width and not request.offsets
            self.sample = (
                [] if is_known else [tuple(row) for row in self._first_rows(request).take(FIRST_ROWS)]
            )
        if not is_known and not self.sample:
            raise DataError(f"expected rows, found none in {ROWS}")

    def cell(self, index: int) -> tuple[Any, str, tuple[str, ...]]:
        """Return a column, the name of its type and no words for missing values: in a DataFrame "NA" is a text."""
        return self.column(index), self.types[index], ()

    def _first_rows(self, request: FrameRequest) -> Any:
        """Return the DataFrame from whose first rows the sizes and the offsets of columns are taken."""
        return self.frame


def placed_by_values(frame: Any, partitions: int) -> Any:
    """Return a DataFrame whose rows are placed in partitions, and sorted there, by a hash of their values.

    So the same rows give the same partitions in the same order, however they were stored and divided before.
    """
    from pyspark.sql import functions as sql

    values = sql.xxhash64(*map(quoted, frame.columns))
    return frame.repartition(partitions, values).sortWithinPartitions(values)


def names_of(columns: FrameColumns) -> tuple[str, ...]:
    """Return the names of the columns, features first. Raises DataError for a column with two roles."""
    features = (columns.features,) if isinstance(columns.features, str) else columns.features
    if not features:
        raise DataError("featuresCol: expected the name of a column or a list of names, found an empty list")
    names = (*features, *(name for name in columns[1:] if name))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"expected a column for each role, found {twice!r} twice among {', '.join(names)}")
    return names


def quoted(name: str) -> str:
    """Return a column's name as Spark's expressions take it, whatever characters it has."""
    return f"`{name.replace('`', '``')}`"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")


def layout_of(table: FrameTable, request: FrameRequest) -> Layout:
    """Return what the columns stand for. Raises DataError for a column of a type that its role cannot have."""
    names = request.columns
    inputs = tuple(range(1 if isinstance(names.features, str) else len(names.features)))
    places = iter(range(len(inputs), table.width))
    label = next(places)
    weight = next(places) if names.weight else None
    validation = next(places) if names.validation else None
    columns = Columns(table.width, inputs, label, weight, validation)
    for param, index in (("labelCol", label), ("weightCol", weight), ("validationIndicatorCol", validation)):
        if index is not None:
            refuse_no_numbers(param, table.name_of(index), table.types[index])
    kinds = tuple(_kind(table, request, index) for index in inputs)
    task = REGRESSION if request.is_regression else CLASSIFICATION
    layout = Layout(table, columns, kinds, (), LabelReader(task, request.classes), request.missing)
    if request.schema is not None:
        return layout._replace(schema=request.schema)
    schema = tuple(column for index in inputs for column in _schema(table, request, index, kinds[index]))
    return _with_categories(layout._replace(schema=schema), request)


def refuse_no_numbers(param: str, name: str, type_name: str) -> None:
    """Raise DataError for a label, a weight or validation rows of a type that is none of numbers."""
    if type_name not in NUMBER_TYPES:
        expected = "true and false" if param == "validationIndicatorCol" else "numbers"
        advice = f"; {INDEXER}" if param == "labelCol" and type_name == STRING else ""
        raise DataError(f"{param}: column {name!r}: expected {expected}, found {type_name}{advice}")


def _kind(table: FrameTable, request: FrameRequest, index: int) -> Kind:
    """Return the kind of a column of features."""
    name, type_name = table.name_of(index), table.types[index]
    is_alone = isinstance(request.columns.features, str)
    if is_alone and type_name in (ARRAY, VECTOR, "binary"):
        width = request.width or _size(table, index)
        return Kind(BYTES if type_name == "binary" else type_name, width)
    if is_alone:
        raise DataError(
            f"featuresCol: column {name!r}: expected vectors, arrays of numbers or bytes, found {type_name}; a list of "
            "names, featuresCol=[...], takes columns of numbers and of strings"
        )
    if type_name in (*NUMBER_TYPES, STRING):
        if request.schema is not None:
            is_category = request.schema[index].values is not None
        else:
            is_category = type_name == STRING or name in request.categorical
        return Kind(CATEGORY if is_category else NUMBER)
    raise no_cells(name, type_name)


def no_cells(name: str, type_name: str) -> DataError:
    """Return the error for a column in a list of names that is none of numbers or strings."""
    return DataError(
        f"featuresCol: column {name!r}: expected numbers or strings in a list of names, found {type_name}; "
        "pyspark.ml.feature.VectorAssembler makes one vector of several columns"
    )


def _size(table: FrameTable, index: int) -> int:
    """Return the number of values of the first vector, array or bytes."""
    sizes = [len(row[index]) for row in table.sample if row[index] is not None]
    if not sizes or not sizes[0]:
        found = "an empty one" if sizes else f"null in the first {len(table.sample)} rows"
        raise DataError(f"featuresCol: column {table.name_of(index)!r}: expected values, found {found}")
    return sizes[0]


def _schema(table: FrameTable, request: FrameRequest, index: int, kind: Kind) -> list[ColumnSchema]:
    """Return the columns of inputs that a column gives; a column alone gives them their numbers as names."""
    cells = [row[index] for row in table.sample]
    if kind.kind in (ARRAY, VECTOR):  # a row of another size is an error once all rows are read
        cells = [cell for cell in cells if cell is not None and len(cell) == kind.width]
    columns = table_columns.schemas(table.name_of(index), kind, cells, request.offsets and bool(cells))
    if isinstance(request.columns.features, str):
        return [column._replace(name=str(number)) for number, column in enumerate(columns)]
    return columns


def _with_categories(layout: Layout, request: FrameRequest) -> Layout:
    """Return the layout with the values of its categories, counted over all rows."""
    indices = [index for index, kind in enumerate(layout.kinds) if kind.kind == CATEGORY]
    if not indices:
        return layout
    counted = count_values(layout.table, indices, request.max_categories)
    schema, first = list(layout.schema), 0
    for index, kind in enumerate(layout.kinds):
        if kind.kind == CATEGORY:
            counts = counted.get(index, Counts({}))
            _look_at_texts(layout.table, index, counts, request)
            values, rare = categories_of(counts.rows, request.max_categories)
            rare = rare or counts.distinct > request.max_categories
            schema[first] = schema[first]._replace(values=values, rare=rare)
        first += kind.width
    return layout._replace(schema=tuple(schema))


def _look_at_texts(table: Table, index: int, counts: Counts, request: FrameRequest) -> None:
    """Raise DataError for strings that name the rows. Log a warning for strings of numbers, which become categories."""
    name = table.name_of(index)
    if table.types[index] != STRING or name in request.categorical:
        return
    example = f"strings of numbers, such as {next(iter(counts.rows), '')!r}"
    are_numbers = quoted_text.are_numbers(counts.rows)
    if are_names_of_rows(counts):
        found = f"{example}: cast it to double" if are_numbers else "leave it out"
        raise DataError(
            f"featuresCol: column {name!r} has {counts.distinct:,} different strings in {counts.total:,} rows: nothing "
            f"can be learned from them; {found}, or name it in categoricalCols"
        )
    if are_numbers:
        _log.warning(
            "featuresCol: column %r has %s, which become categories; cast it to double, or name it in categoricalCols",
            name,
            example,
        )
