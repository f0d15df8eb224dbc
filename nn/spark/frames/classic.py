"""The stages of nn.ml on a session with a SparkContext: rows in RDDs of blocks, files through Hadoop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from nn.spark.backend import without_errors
from nn.spark.frames.blocks import BlockFrame, read_blocks
from nn.spark.frames.frame_table import FrameTable
from nn.spark.frames.interface import FrameRequest
from nn.spark.input import cache, table_reading
from nn.spark.input.table_rows import RowPlan
from nn.spark.runtime.session import ship_package
from nn.spark.storage.filesystem import Storage

DESCRIPTION = "spark.job.description"
BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"


class ClassicSession:
    """A session with a SparkContext."""

    ships_to_streams = True

    def __init__(self, session: Any):
        self._session, self._context = session, session.sparkContext

    def read(self, frame: Any, request: FrameRequest) -> BlockFrame:
        """Pack the rows of a DataFrame into cached blocks. Raises DataError, in one line with the column and a row."""
        self.ship_package()
        description = self._context.getLocalProperty(DESCRIPTION)
        restore = partial(self._context.setLocalProperty, DESCRIPTION, description)
        try:
            table = FrameTable(frame, request, self._context)
            return read_blocks(table, request, self._cached, restore)
        except BaseException:
            without_errors(restore)
            raise

    def _cached(self, plan: RowPlan, rows: Any) -> Any:
        """Return the RDD of the elements of the rows, cached."""
        arrow = self.has_arrow()
        with _setting_kept(self._session, BATCH):
            elements = table_reading.elements_of(plan, rows, arrow)
        # The number of rows is not known before they are read: what does not fit into memory goes to disk.
        return elements.persist(cache.level(self._context, 0))

    def has_arrow(self) -> bool:
        """Return whether the driver and the executors have what Spark needs for Arrow, asked once per application."""
        key = self._context.applicationId
        with _lock:
            if key not in _arrow:
                _arrow[key] = table_reading.has_arrow(self._context)
            return _arrow[key]

    def ship_package(self) -> None:
        """Make nn importable on the executors, once per application."""
        ship_package(self._context)

    def read_file(self, path: str, limit: int) -> bytes | None:
        """Return the content of a file, or None where there is none."""
        return Storage(self._context).read(path, limit)

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        folder, _, name = path.rpartition("/")
        Storage(self._context).folder(folder or ".").write(name, content)

    def remove_file(self, path: str) -> None:
        """Remove a file."""
        self.remove(path)

    def remove(self, path: str) -> None:
        """Remove a folder with all that is in it, if it exists."""
        Storage(self._context).remove_tree(path)


_lock = threading.Lock()  # tuners fit and transform in threads
_arrow: dict[str, bool] = {}  # of each application, whether its executors have pyarrow


@contextmanager
def _setting_kept(session: Any, key: str) -> Iterator[None]:
    """Give a setting of the user's session back its value, which is set for the rows that are packed now."""
    with _lock:
        value = session.conf.get(key, None)
        try:
            yield
        finally:
            session.conf.unset(key) if value is None else session.conf.set(key, value)
