"""The stages of nn.ml on a session of Spark Connect: rows in packed blocks, files through the server.

The rows stay on the cluster. The client gets their number, the statistics of their columns, labels and validation
flags as packed arrays, and sums. A line about a bad cell shows that cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from nn.data.schema import LARGE
from nn.spark.connect import files
from nn.spark.connect.context import ConnectContext
from nn.spark.connect.packed_rdd import PackedRDD, pack, schema
from nn.spark.connect.storage import can_remove, remove_folder
from nn.spark.frames.blocks import BlockFrame, read_blocks
from nn.spark.frames.frame_table import FrameTable
from nn.spark.frames.interface import FrameRequest
from nn.spark.input import table_columns
from nn.spark.input.table_columns import ARRAY, NUMBER_TYPES, VECTOR
from nn.spark.input.table_rows import RowPlan, parse_arrow


class ConnectSession:
    """A session of Spark Connect."""

    ships_to_streams = False  # Spark runs them in a copy of the session, without its files

    def __init__(self, session: Any):
        self._session, self._context = session, ConnectContext(session)

    def read(self, frame: Any, request: FrameRequest) -> BlockFrame:
        """Pack the rows of a DataFrame into cached blocks. Raises DataError, in one line with the column and a row."""
        self.ship_package()
        return read_blocks(ConnectTable(frame, request, self._context), request, self._cached)

    def _cached(self, plan: RowPlan, rows: Any) -> PackedRDD:
        """Return the elements of the rows, cached."""
        return PackedRDD.kept(rows.mapInArrow(partial(pack_rows, plan), schema()), self._context)

    def has_arrow(self) -> bool:
        """Return True: Spark Connect itself needs Arrow."""
        return True

    def ship_package(self) -> None:
        """Make nn importable in the server's Python workers, once per session."""
        self._context.ship_package()

    def read_file(self, path: str, limit: int) -> bytes | None:
        """Return the content of a file, or None where there is none. Raises ValueError beyond the limit."""
        return files.read(self._session, path, limit)

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        self.ship_package()  # a Python worker may have to write it
        files.write(self._session, path, content)

    def remove_file(self, path: str) -> None:
        """Remove a file; before Spark 4.1 leave it empty."""
        if can_remove():
            remove_folder(self._session, path)
        else:
            self.write_file(path, b"")

    def remove(self, path: str) -> None:
        """Remove a folder with all that is in it, if it exists."""
        remove_folder(self._session, path)


class ConnectTable(FrameTable):
    """The columns of a DataFrame of Spark Connect."""

    def _first_rows(self, request: FrameRequest) -> Any:
        """Return rows of the same sizes without their values, except numbers that may become a column's offset."""
        columns = (
            self._shape(index, request.offsets).alias(self.id_of(index)) for index in range(self.width)
        )
        return self.frame.select(*columns)

    def _shape(self, index: int, offsets: bool) -> Any:
        from pyspark.sql import functions as sql

        def shape(value: Any) -> Any:
            number = value.cast("double")
            return sql.when(sql.lit(offsets) & (sql.abs(number) >= LARGE), number).otherwise(0.0)

        column, type_name = self.column(index), self.types[index]
        if type_name == "binary":
            values = sql.expr(f"repeat(' ', length({self.id_of(index)}))")
        elif type_name in (ARRAY, VECTOR):
            values = sql.transform(table_columns.array_of(column, type_name), shape)
        elif type_name in NUMBER_TYPES:
            values = shape(column)
        else:
            values = sql.lit("")
        return sql.when(column.isNotNull(), values)


def pack_rows(plan: RowPlan, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the packed elements of a partition: of one without rows too, its statistics."""
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None
    partition = context.partitionId()
    return pack(partition, parse_arrow(plan, partition, batches))
