"""Predict rows on the cluster, a block at a time, and write the predictions with Spark's own writers.

Tables of MANY columns or more travel through Arrow where the driver and the executors have pyarrow; others are pickled,
an array of values for each column of a block. Both ways give the same values.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.models.prediction_columns import OutputTable
from nn.spark.input import table_reading
from nn.spark.input.parsing import Parsed
from nn.spark.input.scored_files import ScoredFiles
from nn.spark.input.scored_rows import ScoredRows
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import SplitStats
from nn.spark.runtime import jvm
from nn.spark.runtime.errors import as_user_error

CSV, PARQUET, JSON = OUTPUT_FORMATS = ("csv", "parquet", "json")
ROW = "row"  # the number of a row, from 0, where no column names it
NOT_IN_CSV = ("array", "map", "struct", "binary", "udt", "vectorudt")  # types
# Types of Spark that travel through Arrow, with those of pyarrow; columns of others are carried along pickled.
IN_ARROW = {
    "long": "int64",
    "integer": "int32",
    "short": "int16",
    "byte": "int8",
    "double": "float64",
    "float": "float32",
    "boolean": "bool_",
    "string": "string",
    "date": "date32",
}
# Columns of predictions from which Arrow takes less time of the processors: pickling costs a little per column, Arrow
# copies each block once more on its way to Python.
MANY = 5
TIMES = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS][XXX]",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS]",
}
# Spark's writers of text cut times to milliseconds, and that of CSV takes blanks off at both ends.
WRITER_OPTIONS = {
    JSON: TIMES,
    CSV: {
        **TIMES,
        "header": "true",
        "escape": '"',  # RFC 4180: a quote is written twice
        "ignoreLeadingWhiteSpace": "false",
        "ignoreTrailingWhiteSpace": "false",
    },
}
BLOCKS_AT_ONCE = 8  # in a batch of Arrow on its way to Python: a block has up to about 4 MB


class Counts:
    """Counts by block, as an accumulator takes them: a block that is predicted again is not counted twice."""

    def zero(self, value: dict[Any, int]) -> dict[Any, int]:
        """Return no counts."""
        return {}

    def addInPlace(self, counts: dict[Any, int], more: dict[Any, int]) -> dict[Any, int]:  # noqa: N802  # Spark's name
        """Take over other counts."""
        counts.update(more)
        return counts


class Scoring(NamedTuple):
    """What a task does with a block."""

    table: OutputTable
    params: Any  # a broadcast
    firsts: np.ndarray  # (splits,) the first row's number of each split
    empty: Any  # an accumulator (Counts): how many rows of each block have no prediction

    def first(self, block: Parsed) -> int:
        """Return the number of the first row of a block."""
        return int(self.firsts[block.split]) + block.start

    def columns(self, block: Parsed) -> list[Sequence[Any]]:
        """Return the columns before those of the model: numbers of rows, or what is carried along."""
        if block.kept is not None:
            return _kept(block)
        first = self.first(block)
        return [range(first, first + len(block.inputs))]

    def note_empty(self, block: Parsed, empty: int) -> None:
        """Count the rows of a block that have no prediction."""
        if empty:
            self.empty.add({(block.split, block.start): empty})

    def packed(self, element: Parsed | SplitStats) -> Iterator[tuple[Any, ...]]:
        """Yield one row for a block: its first row's number, and an array of values for each column."""
        if not isinstance(element, SplitStats):
            cells = self.table.cells(self.params.value, element.inputs)
            self.note_empty(element, sum(cell is None for cell in cells[0]))
            yield (self.first(element), *([] if element.kept is None else _kept(element)), *cells)

    def batches(self, columns: Sequence[tuple[str, str]], pickled: Iterable[Any]) -> Iterator[Any]:
        """Yield a batch of Arrow for each block in batches of pickled elements; `columns` are names and types."""
        schema = _arrow_schema(columns)
        for element in _unpickled(pickled):
            if not isinstance(element, SplitStats):
                yield self._batch(schema, element)

    def serialized(
        self, columns: Sequence[tuple[str, str]], elements: Iterable[Parsed | SplitStats]
    ) -> Iterator[tuple[int, bytes]]:
        """Yield the number of the first row and the serialized batch of Arrow of each block."""
        schema = _arrow_schema(columns)
        for element in elements:
            if not isinstance(element, SplitStats):
                yield self.first(element), self._batch(schema, element).serialize().to_pybytes()

    def _batch(self, schema: Any, block: Parsed) -> Any:
        """Return the batch of Arrow of a block."""
        import pyarrow as pa

        own = self.columns(block)
        values, usable = self.table.arrays(self.params.value, block.inputs)
        mask = None if usable.all() else ~usable
        self.note_empty(block, len(usable) - int(usable.sum()))
        kinds = schema.types
        arrays = [pa.array(column, kind) for column, kind in zip(own, kinds, strict=False)]
        arrays += [
            pa.array(column, kind, mask=mask) for column, kind in zip(values, kinds[len(own) :], strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _arrow_schema(columns: Sequence[tuple[str, str]]) -> Any:
    """Return pyarrow's schema of columns, given by name and type."""
    import pyarrow as pa

    return pa.schema([(name, getattr(pa, kind)()) for name, kind in columns])


def _read_batches(columns: Sequence[tuple[str, str]], pickled: Iterable[Any]) -> Iterator[Any]:
    """Yield the batches of Arrow that `Scoring.serialized` gave."""
    import pyarrow as pa

    schema = _arrow_schema(columns)
    for content in _unpickled(pickled):
        yield pa.ipc.read_record_batch(pa.py_buffer(content), schema)


def _kept(block: Parsed) -> list[Sequence[Any]]:
    """Return the columns that are carried along."""
    assert block.kept is not None
    return [column.tolist() for column in block.kept.T]


def _unpickled(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the elements in batches of Arrow of one binary column, as jvm.frame_of_elements lays them out."""
    for batch in batches:
        for content in batch.column(0):
            found = pickle.loads(content.as_buffer())
            yield from found if isinstance(found, list) else [found]


def frame_of(found: ScoredRows, table: OutputTable, params: Any, output_format: str) -> tuple[Any, Any]:
    """Return the DataFrame of predictions in the order of the rows, and an accumulator of the rows without predictions.

    `params` is a broadcast. After the DataFrame is written, the accumulator's value has counts by block.

    Raises DataError for a column that is carried along and has a type that CSV cannot hold, or a name that is taken.
    """
    from pyspark.sql import SparkSession

    schema = schema_of(found.scored, table, output_format)
    elements = found.rows.cached
    empty = elements.context.accumulator({}, Counts())
    types = [IN_ARROW.get(field.dataType.typeName(), "") for field in schema.fields]
    is_wide = len(table.columns) >= MANY and all(types) and table_reading.has_arrow(elements.context)
    scoring = Scoring(table, params, found.rows.firsts, empty)
    session = SparkSession.builder.getOrCreate().newSession()  # settings of its own
    session.conf.set("spark.sql.caseSensitive", "true")  # classes named a and A have a column each
    # Blocks are put into order after they are predicted: predictions are smaller than the rows they are made of.
    if is_wide:
        columns = list(zip(schema.names, types, strict=True))
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(BLOCKS_AT_ONCE))
        if found.is_ordered:
            to_batches, packed = partial(scoring.batches, columns), elements
        else:
            serialized = elements.mapPartitions(partial(scoring.serialized, columns))
            to_batches, packed = (
                partial(_read_batches, columns),
                _in_order(serialized, found.rows.total).values(),
            )
        return jvm.frame_of_elements(packed, session).mapInArrow(to_batches, schema), empty
    packed = elements.flatMap(scoring.packed)
    if not found.is_ordered:
        packed = _in_order(packed.keyBy(itemgetter(0)), found.rows.total).values()
    return _unpacked(session, packed, schema), empty


def _in_order(by_first: Any, rows: int) -> Any:
    """Return an RDD of blocks by the number of their first row in that order, about as many rows in each partition.

    Spark's own partitioning by ranges would predict all rows twice: first for a sample of them.
    """
    partitions = by_first.getNumPartitions()
    return by_first.repartitionAndSortWithinPartitions(partitions, partial(_part, partitions, rows))


def _part(partitions: int, rows: int, first: int) -> int:
    """Return the partition of the block whose first row has this number."""
    return min(first * partitions // max(rows, 1), partitions - 1)


def _unpacked(session: Any, packed: Any, schema: Any) -> Any:
    """Return the DataFrame of rows that `Scoring.packed` has packed by blocks: Java takes them apart.

    A row that is pickled by itself takes as long as predicting it. Columns that count the rows are not sent.
    """
    from pyspark.sql import functions as sql
    from pyspark.sql.types import ArrayType, StructType

    counted = [field.name for field in schema if not field.nullable]
    sent = [field for field in schema if field.name not in counted]
    packed_schema = StructType().add("first", "long", False)
    for index, field in enumerate(sent):
        packed_schema = packed_schema.add(f"c{index}", ArrayType(field.dataType, True), False)
    values, of_row = sql.col("c0"), ["row"]
    if len(sent) > 1:
        names = [f"c{index}" for index in range(len(sent))]
        values, of_row = sql.arrays_zip(*names), [f"row.{name}" for name in names]
    frame = session.createDataFrame(packed, packed_schema, verifySchema=False)
    frame = frame.select("first", sql.posexplode(values).alias("place", "row"))
    number = sql.col("first") + sql.col("place")
    return frame.select(
        *(number.alias(name) for name in counted),
        *(sql.col(place).alias(field.name) for place, field in zip(of_row, sent, strict=True)),
    )


def write(frame: Any, path: str, output_format: str) -> None:
    """Write a DataFrame as a folder of part files and _SUCCESS, in place of an earlier one.

    Raises DataError, or PlatformError, where Spark fails.
    """
    writer = (
        frame.write.format(output_format).mode("overwrite").options(**WRITER_OPTIONS.get(output_format, {}))
    )
    try:
        writer.save(path)
    except Exception as error:
        raise as_user_error(error, DataError, f"OUTPUT: Spark cannot write {path}", path, "OUTPUT") from error


def schema_of(scored: ScoredFiles, table: OutputTable, output_format: str) -> Any:
    """Return the schema of the predictions. Raises DataError as frame_of does."""
    from pyspark.sql.types import StructField, StructType

    images, kept = scored.files.images, scored.kept
    schema = StructType() if kept else StructType().add(ROW, "long", False)
    for index in kept:
        assert isinstance(images, Table)
        data_type, name = images.frame.schema[images.id_of(index)].dataType, images.name_of(index)
        if output_format == CSV and data_type.typeName() in NOT_IN_CSV:
            raise DataError(
                f"--keep: column {name!r} is {data_type.simpleString()}, which CSV cannot hold; use "
                "--output-format parquet or leave it out"
            )
        schema = StructType([*schema.fields, StructField(name, data_type, True)])
    names_of(schema.names if kept else (), table)
    for column in table.columns:
        schema = schema.add(column.name, column.type, True)
    return schema


def names_of(carried: Sequence[str], table: OutputTable) -> list[str]:
    """Return the names of the columns of a table of predictions.

    Raises DataError where a column that is carried along has the name of another one.
    """
    own = [column.name for column in table.columns]
    taken = set(own)
    for name in carried:
        if name in taken:
            other = "of predictions" if name in own else "that is carried along too"
            raise DataError(f"--keep: column {name!r} has the name of a column {other}; leave it out")
        taken.add(name)
    return [*(carried or [ROW]), *own]
