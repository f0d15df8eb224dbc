"""Read and write files through a server of Spark Connect, whose client reaches no file system by itself.

Reading goes through Spark's reader of binary files. A file is written by the server to its default file system. Where
that is the local one, which the server refuses to write to, a Python worker writes it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from nn.core.errors import PlatformError
from nn.core.files import write as write_local
from nn.spark.input.text_source import escaped

PIECE = 32 << 20  # bytes that travel to the client at once
LOCAL = "file:"


def read(session: Any, path: str, limit: int) -> bytes | None:
    """Return the content of a file, or None where there is none. Raises ValueError for more than `limit` bytes."""
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as sql

    frame = session.read.format("binaryFile").load(escaped(path))
    try:
        rows = frame.select("length").take(2)
    except AnalysisException as error:
        if "PATH_NOT_FOUND" in str(error):
            return None
        raise
    if len(rows) != 1:
        return None
    size = rows[0][0]
    if size > limit:
        raise ValueError(f"expected at most {limit:,} bytes, found {size:,}")
    pieces = (
        frame.select(sql.substring("content", start + 1, PIECE)).first()[0] for start in range(0, size, PIECE)
    )
    return b"".join(map(bytes, pieces))


def write(session: Any, path: str, content: bytes) -> None:
    """Write a file, whole or not at all. Raises PlatformError for a path on a file system that is not the default."""
    if path.startswith(LOCAL):
        _write_in_worker(session, "/" + path[len(LOCAL) :].lstrip("/"), content)
    elif "://" in path:
        raise PlatformError(
            f"cannot write {path}: a server of Spark Connect writes to its default file system alone; give a path "
            "without a scheme, or use a classic session"
        )
    elif not _copied(session, path, content):
        _write_in_worker(session, path, content)


def _copied(session: Any, path: str, content: bytes) -> bool:
    """Write the file through the server. Return False where its file system is the local one."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            session.copyFromLocalToFs(file.name, path)
        except Exception as error:  # of grpc, which PySpark does not translate here
            if "local file system" not in str(error):
                raise
            return False
    return True


def _write_in_worker(session: Any, path: str, content: bytes) -> None:
    session.range(1).mapInArrow(partial(_write_there, path, content), "path string").collect()


def _write_there(path: str, content: bytes, batches: Iterable[Any]) -> Iterator[Any]:
    """Write the file where the task runs."""
    path = os.path.abspath(path)
    for _ in batches:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_local(path, content)
    return iter(())
