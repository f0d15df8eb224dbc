"""PackedRDD: elements packed as bytes in the rows of a DataFrame, with the methods of an RDD that training uses.

A row holds one element, or a piece of it: (partition, first, second, chunk, value). Elements of a partition are in the
order of (first, second). Each pass over the rows is one mapInArrow: Python workers unpack the elements of a partition
without a copy of their arrays, send them through all stages, and pack the results. `collect` brings these to the client
and puts them in order, so that results do not depend on which task ends first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from nn.data.local_rdd import MapStages
from nn.io import nests
from nn.spark.connect import storage
from nn.spark.runtime.workers import tune_worker

ORDER = ("partition", "first", "second", "chunk")
VALUE = "value"
# Bytes of a row: Spark sends rows in batches and messages of limited size. A multiple of nests.ALIGNMENT.
CHUNK = 4 << 20

Key = tuple[int, int]
Piece = tuple[tuple[int, ...], Any]  # a row: its place in ORDER, and a buffer


class Packed(NamedTuple):
    """One element of a partition, packed."""

    partition: int
    key: Key  # its place among the others of the partition
    content: Any  # a buffer


class PackedRDD(MapStages):
    """Elements in the rows of a DataFrame of a session of Spark Connect, in `partitions` partitions."""

    def __init__(
        self,
        frame: Any,
        context: Any,
        partitions: int,
        stages: tuple[Callable, ...] = (),
        free: Callable[[], Any] | None = None,
    ):
        self.context = context
        self._frame, self._partitions, self._stages, self._free = frame, partitions, stages, free

    def getNumPartitions(self) -> int:  # noqa: N802 (Spark's name)
        """Return the number of partitions."""
        return self._partitions

    def mapPartitionsWithIndex(self, function: Callable[[int, Iterator], Iterable]) -> PackedRDD:  # noqa: N802
        """Apply a function to the number and the iterator of each partition that has rows."""
        return PackedRDD(self._frame, self.context, self._partitions, (*self._stages, function))

    def mapPartitions(self, function: Callable[[Iterator], Iterable]) -> PackedRDD:  # noqa: N802 (Spark's name)
        """Apply a function to the iterator of each partition that has rows."""
        return self.mapPartitionsWithIndex(functools.partial(_without_index, function))

    def collect(self) -> list:
        """Return all elements in the order of the partitions."""
        with self.context.interruptible():
            batches = self._mapped().toArrow().to_batches()
        pieces = sorted(_pieces(batches), key=itemgetter(0))
        return [nests.from_bytes(bytearray(packed.content)) for packed in _joined(pieces)]

    def reduce(self, function: Callable) -> Any:
        """Reduce each partition, then the results in their order, as Spark's RDD.reduce groups them."""
        return functools.reduce(function, self.mapPartitions(functools.partial(_reduced, function)).collect())

    def persist(self, level: Any = None) -> PackedRDD:
        """Run all stages and keep the results: in the cluster's memory and on its disks, or in files (storage.py)."""
        return PackedRDD.kept(self._mapped(), self.context, self._partitions)

    @classmethod
    def kept(cls, frame: Any, context: Any, partitions: int | None = None) -> PackedRDD:
        """Keep the rows of a DataFrame; without a number of partitions each must have rows, and they are counted."""
        with context.interruptible():
            kept = storage.keep(frame)
            if partitions is None:
                partitions = 1 + (kept.frame.agg({"partition": "max"}).first()[0] or 0)
        frame = kept.frame if kept.is_divided else _placed(kept.frame, partitions)
        return cls(frame, context, partitions, (), kept.free)

    def unpersist(self) -> None:
        """Free what `persist` keeps. Errors are ignored: a server that has gone keeps nothing."""
        if self._free is not None:
            with suppress(Exception):
                self._free()

    def getStorageLevel(self) -> None:  # noqa: N802 (Spark's name)
        """Return None: `persist` chooses."""

    def repartitionAndSortWithinPartitions(self, count: int, partitioner: Callable[[Key], int]) -> PackedRDD:  # noqa: N802
        """Move pairs (key, value), whose keys are pairs of integers, to `count` partitions, each sorted by key."""
        with self.context.interruptible():
            frame = _placed(self._mapped(partitioner), count)
        return PackedRDD(frame, self.context, count)

    def _mapped(self, partitioner: Callable[[Key], int] | None = None) -> Any:
        """Return the DataFrame of the elements after all stages."""
        function = functools.partial(run_stages, self._stages, partitioner)
        return self._frame.mapInArrow(function, schema())


def schema() -> Any:
    """Return the schema of the rows."""
    from pyspark.sql.types import BinaryType, IntegerType, StructField, StructType

    fields = [StructField(name, IntegerType(), False) for name in ORDER]
    return StructType([*fields, StructField(VALUE, BinaryType(), False)])


def _placed(frame: Any, partitions: int) -> Any:
    """Return the DataFrame with each partition in one task, in order."""
    if hasattr(frame, "repartitionById"):  # Spark 4.1
        frame = frame.repartitionById(partitions, "partition")
    else:  # by a hash: a task may have several partitions, or none
        frame = frame.repartition(partitions, "partition")
    return frame.sortWithinPartitions(*ORDER)


# ---- in Python workers ----


def run_stages(
    stages: tuple[Callable, ...], partitioner: Callable[[Key], int] | None, batches: Iterable[Any]
) -> Iterator[Any]:
    """Send the elements of each partition through the stages. With a partitioner these give pairs (key, value)."""
    tune_worker()
    for partition, group in groupby(_joined(_pieces(batches)), itemgetter(0)):
        elements: Any = (nests.from_bytes(packed.content) for packed in group)
        for stage in stages:
            elements = iter(stage(partition, elements))
        if partitioner is None:
            yield from pack(partition, elements)
        else:
            for pair in elements:
                yield from _rows(Packed(partitioner(pair[0]), pair[0], nests.to_bytes(pair)))


def pack(partition: int, elements: Iterable[Any]) -> Iterator[Any]:
    """Yield batches of Arrow with the elements of a partition, in order."""
    for number, element in enumerate(elements):
        yield from _rows(Packed(partition, (0, number), nests.to_bytes(element)))


def _rows(packed: Packed) -> Iterator[Any]:
    """Yield batches of Arrow of one row, with the pieces of an element."""
    import pyarrow as pa

    content = memoryview(packed.content)
    for chunk, start in enumerate(range(0, len(content), CHUNK)):
        order = (packed.partition, *packed.key, chunk)
        columns = [pa.array([number], pa.int32()) for number in order]
        value = pa.py_buffer(content[start : start + CHUNK])
        offsets = pa.py_buffer(np.array([0, value.size], np.int32))
        columns.append(pa.Array.from_buffers(pa.binary(), 1, [None, offsets, value]))
        yield pa.RecordBatch.from_arrays(columns, [*ORDER, VALUE])


def _joined(pieces: Iterable[Piece]) -> Iterator[Packed]:
    """Yield the elements in pieces, which are in order. An element in one piece is not copied."""
    for place, parts in groupby(pieces, lambda piece: piece[0][:3]):
        buffers = [buffer for _, buffer in parts]
        content = buffers[0] if len(buffers) == 1 else b"".join(buffers)
        yield Packed(place[0], place[1:], content)


def _pieces(batches: Iterable[Any]) -> Iterator[Piece]:
    """Yield the rows in batches of Arrow."""
    for batch in batches:
        places = zip(*(batch.column(index).to_pylist() for index in range(len(ORDER))), strict=True)
        yield from zip(places, _values(batch.column(len(ORDER))), strict=True)


def _values(column: Any) -> Iterator[Any]:
    """Yield the values of a column of bytes as buffers. Arrow's own scalars are copies."""
    _, offsets, data = column.buffers()
    kind = np.dtype(np.int64 if str(column.type).startswith("large") else np.int32)
    ends = np.frombuffer(offsets, kind, len(column) + 1, column.offset * kind.itemsize)
    return (data.slice(start, end - start) for start, end in pairwise(ends.tolist()))


def _without_index(function: Callable[[Iterator], Iterable], index: int, elements: Iterator) -> Iterable:
    return function(elements)


def _reduced(function: Callable, elements: Iterator) -> Iterator:
    for first in elements:
        yield functools.reduce(function, elements, first)
