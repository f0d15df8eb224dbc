"""Predict rows on the cluster, a block at a time, and write the predictions with Spark's own writers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from nn.core.errors import DataError
from nn.models.prediction_columns import PredictionTable, usable_rows
from nn.models.sequential import Sequential
from nn.spark.input.parsing import Parsed
from nn.spark.input.scored_rows import ScoredRows
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import SplitStats
from nn.spark.runtime.errors import as_user_error

CSV, PARQUET, JSON = OUTPUT_FORMATS = ("csv", "parquet", "json")
ROW = "row"  # the number of a row, from 0, where no column names it


def frame_of(found: ScoredRows, table: PredictionTable, params: Any, output_format: str) -> Any:
    """Return the DataFrame of predictions in the order of the rows. `params` is a broadcast.

    Raises DataError for a column that is carried along and has a type that CSV cannot hold, or a name that is taken.
    """
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

    schema = _schema(found, table, output_format)
    rows = found.rows.cached.flatMap(partial(_rows_of, table, params, found.rows.firsts))
    session = SparkSession.builder.getOrCreate()
    if found.is_ordered:
        return session.createDataFrame(rows, schema, verifySchema=False)
    numbered = found.rows.cached.flatMap(partial(_rows_of, table, params, found.rows.firsts, numbered=True))
    number = StructType().add(NUMBER, "long", False)
    frame = session.createDataFrame(
        numbered, StructType([*number.fields, *schema.fields]), verifySchema=False
    )
    return (
        frame.repartitionByRange(found.rows.cached.getNumPartitions(), NUMBER)
        .sortWithinPartitions(NUMBER)
        .drop(NUMBER)
    )


NUMBER = "_row_number"


def write(frame: Any, path: str, output_format: str) -> None:
    """Write a DataFrame as a folder of part files and _SUCCESS, in place of an earlier one.

    Raises DataError, or PlatformError, where Spark fails.
    """
    writer = frame.write.format(output_format).mode("overwrite")
    if output_format == CSV:
        writer = writer.option("header", "true").option("escape", '"')  # RFC 4180: a quote is written twice
    try:
        writer.save(path)
    except Exception as error:
        raise as_user_error(error, DataError, f"OUTPUT: Spark cannot write {path}", path, "OUTPUT") from error


def _schema(found: ScoredRows, table: PredictionTable, output_format: str) -> Any:
    from pyspark.sql.types import StructField, StructType

    images, kept = found.scored.files.images, found.scored.kept
    schema = StructType()
    if kept:
        assert isinstance(images, Table)
        for index in kept:
            data_type, name = images.frame.schema[images.id_of(index)].dataType, images.name_of(index)
            if output_format == CSV and data_type.typeName() in (
                "array",
                "map",
                "struct",
                "binary",
                "udt",
                "vectorudt",
            ):
                raise DataError(
                    f"--keep: column {name!r} is {data_type.simpleString()}, which CSV cannot hold; use "
                    "--output-format parquet or leave it out"
                )
            schema = StructType([*schema.fields, StructField(name, data_type, True)])
    else:
        schema = schema.add(ROW, "long", False)
    taken = set(schema.names)
    for column in table.columns:
        if column.name in taken:
            raise DataError(
                f"--keep: column {column.name!r} has the name of a column of predictions; leave it out"
            )
        schema = schema.add(column.name, column.type, True)
    return schema


def _rows_of(
    table: PredictionTable,
    params: Any,
    firsts: np.ndarray,
    element: Parsed | SplitStats,
    numbered: bool = False,
) -> Iterator[tuple[Any, ...]]:
    """Return the rows of predictions of one element."""
    if isinstance(element, SplitStats):
        return iter(())
    first = int(firsts[element.split]) + element.start
    numbers = range(first, first + len(element.inputs))
    columns: list[Sequence[Any]] = [numbers] if numbered else []
    columns += [numbers] if element.kept is None else [column.tolist() for column in element.kept.T]
    columns += table.cells(params.value, element.inputs)
    return zip(*columns, strict=True)


def count_unusable(model: Sequential, element: Parsed | SplitStats) -> int:
    """Return how many rows of an element the model cannot predict."""
    return 0 if isinstance(element, SplitStats) else int((~usable_rows(model, element.inputs)).sum())
