"""The stages of nn.ml on a session with a SparkContext: rows in RDDs of blocks, files through Hadoop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from nn.core.errors import DataError
from nn.data.block import Block
from nn.models.sequential import Params, Sequential
from nn.spark.backend import SparkBackend
from nn.spark.frames import frame_faults
from nn.spark.frames.frame_table import ROWS, FrameTable, layout_of
from nn.spark.frames.interface import FrameRequest
from nn.spark.input import cache, table_reading
from nn.spark.input.parsing import Parsed, to_block, without_inputs
from nn.spark.input.table_layout import Layout
from nn.spark.input.text_source import SplitStats
from nn.spark.runtime.broadcast import broadcast
from nn.spark.runtime.session import ship_package
from nn.spark.storage.filesystem import Storage
from nn.training.backend import Facts
from nn.training.evaluation import AnyScore, evaluate

DESCRIPTION = "spark.job.description"
BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"


class ClassicSession:
    """A session with a SparkContext."""

    def __init__(self, session: Any):
        self._session, self._context = session, session.sparkContext

    def read(self, frame: Any, request: FrameRequest) -> ClassicFrame:
        """Pack the rows of a DataFrame into cached blocks. Raises DataError, in one line with the column and a row."""
        self.ship_package()
        description = self._context.getLocalProperty(DESCRIPTION)
        try:
            return _read(FrameTable(frame, request), request, description)
        except BaseException:
            self._context.setLocalProperty(DESCRIPTION, description)
            raise

    def has_arrow(self) -> bool:
        """Return whether the driver and the executors have what Spark needs for Arrow, asked once per application."""
        key = self._context.applicationId
        with _lock:
            if key not in _arrow:
                _arrow[key] = table_reading.has_arrow(self._context)
            return _arrow[key]

    def ship_package(self) -> None:
        """Make nn importable on the executors, once per application."""
        with _lock:
            if self._context.applicationId not in _shipped:
                ship_package(self._context)
                _shipped.add(self._context.applicationId)

    def read_file(self, path: str, limit: int) -> bytes | None:
        """Return the content of a file, or None where there is none."""
        return Storage(self._context).read(path, limit)

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        folder, _, name = path.rpartition("/")
        Storage(self._context).folder(folder or ".").write(name, content)

    def remove(self, path: str) -> None:
        """Remove a folder with all that is in it, if it exists."""
        Storage(self._context).remove_tree(path)


_lock = threading.Lock()  # tuners fit and transform in threads
_shipped: set[str] = set()  # the applications whose executors have the package
_arrow: dict[str, bool] = {}  # of each application, whether its executors have pyarrow


class ClassicBackend(SparkBackend):
    """Rows of a DataFrame in an RDD of blocks."""

    def evaluate(self, model: Sequential, params: Params) -> AnyScore:
        """Score the rows that are learned from, each counting once."""
        self.blocks.context.setJobDescription(f"evaluating {self._source}")
        handle = broadcast(self.blocks.context, params)
        try:
            return evaluate(self.blocks.filter(_is_training), model, handle)
        finally:
            handle.destroy()


def _is_training(block: Block) -> bool:
    return not block.validation


class ClassicFrame:
    """The rows of a DataFrame in cached blocks. Their order is that of the partitions."""

    def __init__(self, facts: Facts, blocks: Any, cached: Any, weighted: bool, description: str | None):
        self.facts, self._blocks, self._cached = facts, blocks, cached
        self._weighted, self._description = weighted, description
        self._backends: list[ClassicBackend] = []

    def backend(self) -> ClassicBackend:
        """Return a backend for the rows as they were read."""
        backend = ClassicBackend(self._blocks, self._cached, self._weighted, ROWS, keeps_rows=True)
        self._backends.append(backend)
        return backend

    def release(self) -> None:
        """Free the cached blocks, and describe the jobs of the session as before."""
        for backend in self._backends:
            if backend.blocks is not self._blocks:
                backend.blocks.unpersist()
        self._cached.unpersist()
        self._cached.context.setLocalProperty(DESCRIPTION, self._description)


def _read(table: FrameTable, request: FrameRequest, description: str | None) -> ClassicFrame:
    layout = layout_of(table, request)
    plan, rows = layout.rows()
    with table.readable(), _setting_kept(rows.sparkSession, BATCH):
        elements = table_reading.elements_of(table.context, plan, rows)
        # The number of rows is not known before they are read: what does not fit into memory goes to disk.
        cached = elements.persist(cache.level(table.context, 0))
    try:
        found = table.collect(cached.mapPartitionsWithIndex(partial(without_inputs, True)))
        statistics = sorted((one for _, one in found if isinstance(one, SplitStats)), key=_split)
        frame_faults.refuse_faults(table, layout, statistics)
        sides = sorted((part for _, part in found if isinstance(part, Parsed)), key=_split_and_start)
        facts = _facts(request, layout, statistics, sides, cached.getNumPartitions())
    except BaseException:
        cached.unpersist()
        raise
    counts = np.zeros(cached.getNumPartitions() + 1, np.int64)
    for one in statistics:
        counts[one.split + 1] = one.rows
    blocks = cached.flatMap(partial(to_block, np.cumsum(counts)[:-1], None, None))
    return ClassicFrame(facts, blocks, cached, bool(request.columns.weight), description)


@contextmanager
def _setting_kept(session: Any, key: str) -> Iterator[None]:
    """Give a setting of the user's session back its value, which is set for the rows that are packed now."""
    with _lock:
        value = session.conf.get(key, None)
        try:
            yield
        finally:
            session.conf.unset(key) if value is None else session.conf.set(key, value)


def _split(element: SplitStats) -> int:
    return element.split


def _split_and_start(part: Parsed) -> tuple[int, int]:
    return part.split, part.start


def _facts(
    request: FrameRequest, layout: Layout, statistics: list[SplitStats], sides: list[Parsed], partitions: int
) -> Facts:
    labels = np.concatenate([part.labels for part in sides if part.labels is not None])
    classes = 1
    if not request.is_regression:
        distinct = np.unique(labels)
        if len(distinct) < 2:
            name = repr(request.columns.label)
            raise DataError(
                f"labelCol: column {name}: expected at least 2 classes, found class {distinct[0]} alone"
            )
        classes = request.classes or int(labels.max()) + 1
    flags = [part.held_out for part in sides if part.held_out is not None]
    return Facts(
        layout.width,
        labels,
        classes,
        scale=max(one.largest for one in statistics) or 1.0,
        partitions=partitions,
        columns=layout.schema,
        are_pixels=all(one.columns is None or one.columns.low is None for one in statistics),
        has_names=not isinstance(request.columns.features, str),
        held_out=np.concatenate(flags) if flags else None,
    )
