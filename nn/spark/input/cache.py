"""Choose the storage level of blocks between jobs: memory if all of them fit, else disk.

In memory they are Java objects, whose bytes go to the Python workers without a conversion. Spark's default level for
Python serializes and compresses them, so that every pass over the rows would decompress them again. If rows are larger
than estimated, those that do not fit go to disk.

On disk they are compressed, and each pass reads them as a stream. With both levels, Spark would load a whole partition
back into memory whenever its accounts show free memory, and a few large partitions can fill the heap and end the JVM.
With memory alone, evicted blocks would be parsed from text again in every epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nn.core.errors import DataError
from nn.data import csv
from nn.spark.input.text_source import COMPRESSED, TextFile
from nn.spark.runtime import cluster

SHARE = 0.5  # of the free storage memory that rows may use


def level_for(images: TextFile) -> Any:
    """Return the storage level for the rows of an image text. The size of compressed files is unknown."""
    is_compressed = any(file.path.endswith(COMPRESSED) for file in images.files)
    return level(images.context, 0 if is_compressed else estimated_bytes(images))


def level(context: Any, size: int) -> Any:
    """Return the storage level for rows of about `size` bytes."""
    from pyspark import StorageLevel

    fits = size <= SHARE * free_storage(context)
    return StorageLevel(useDisk=True, useMemory=fits, useOffHeap=False, deserialized=fits)


def note(argument: str, size: int, storage_level: Any) -> list[str]:
    """Return a note for the user where rows of about `size` bytes are kept on disk."""
    if storage_level.useMemory:
        return []
    return [
        f"{argument}: rows of about {size / 1e9:.3g} GB are kept on disk; more memory "
        "(--driver-memory with a local master, else --executor-memory or more executors) would hold them"
    ]


@contextmanager
def freed_on_error(cached: Any) -> Iterator[None]:
    """Free cached rows where an error inside `with` says that they cannot be used: text may be read once more."""
    try:
        yield
    except DataError:
        cached.unpersist()
        raise


def estimated_bytes(images: TextFile) -> int:
    """Estimate the bytes of all rows, from the length and the dtype of the first."""
    return int(images.bytes / (len(images.first_row) + 1) * row_bytes(images))


def row_bytes(images: TextFile) -> int:
    """Estimate the bytes of a row, from the dtype of the first."""
    values = csv.to_array([images.first_row.encode()], images.dialect)
    size = csv.compact(values).itemsize if isinstance(values, np.ndarray) else 4
    return images.dialect.width * size


def free_storage(context: Any) -> int:
    """Return the free bytes for cached blocks on all executors."""
    return sum(executor.storage for executor in cluster.registered(context))
