"""Decide the kind of each column of a training set: by its type, or by the first rows where it is text."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from nn.core.errors import DataError
from nn.data.columns import Columns, matching
from nn.data.schema import ColumnSchema
from nn.spark.input import cache, table_columns
from nn.spark.input.reading_options import ReadingOptions
from nn.spark.input.table_columns import VECTOR, Kind
from nn.spark.input.table_source import Table


def decide(
    table: Table, columns: Columns, options: ReadingOptions
) -> tuple[tuple[Kind, ...], tuple[ColumnSchema, ...]]:
    """Return the kind of each column of inputs of a training set, and the columns that they give."""
    categorical = matching(options.categorical, table.names, table.width, table.path, "--categorical")
    kinds, schema = [], []
    for index in columns.inputs:
        cells = [
            None if _is_missing(row[index], table.how.all_missing_values) else row[index]
            for row in table.sample
        ]
        name, is_categorical = table.name_of(index), index in categorical
        try:
            kind = table_columns.kind_of(
                name, table.types[index], cells, is_categorical, table.how.all_missing_values
            )
        except DataError as error:
            raise DataError(f"{table.argument}: {table.path}: {error}") from None
        kinds.append(kind)
        schema += table_columns.schemas(name, kind, cells, options.offsets)
    _refuse_too_large(table, sum(kind.width for kind in kinds))
    return tuple(kinds), tuple(schema)


def _is_missing(cell: Any, missing_values: Collection[str]) -> bool:
    return isinstance(cell, str) and cell.strip() in missing_values


def _refuse_too_large(table: Table, width: int) -> None:
    """Raise DataError where sparse rows are too many for the cluster's memory once they are dense."""
    if VECTOR not in table.types:
        return
    with table.readable():
        rows = table.estimated_rows
    size, free = 4 * rows * width, cache.free_storage(table.context)
    if size > free:
        raise DataError(
            f"{table.argument}: {rows:,} rows of {width:,} values each take {size / 1e9:.3g} GB in memory, where "
            f"{free / 1e9:.3g} GB are free; give more memory (--driver-memory or --executor-memory), or fewer columns"
        )
