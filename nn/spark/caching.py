"""How blocks are kept between jobs: as they lie where there is room, packed where there is not, on disk beyond that.

Spark packs what Python caches: serialised and, with spark.rdd.compress, compressed, which every pass over the rows
undoes again. Kept as Java objects the bytes go to the Python workers as they lie. A block that leaves memory is packed
and written to disk either way; one evicted from memory alone would be parsed from text again in every epoch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nn import text
from nn.spark.textfile import COMPRESSED, TextFile

SHARE = 0.5  # of the free memory for storage that rows may take as they lie


def level_for(images: TextFile) -> Any:
    """The storage level for the rows of an image text; no one knows how large an archive will be."""
    packed = any(file.path.endswith(COMPRESSED) for file in images.files)
    return level(images.context, math.inf if packed else estimated_bytes(images))


def level(context: Any, size: float) -> Any:
    """The storage level for rows of `size` bytes."""
    from pyspark import StorageLevel

    fits = size <= SHARE * free_storage(context)
    return StorageLevel(useDisk=True, useMemory=True, useOffHeap=False, deserialized=fits)


def estimated_bytes(images: TextFile) -> int:
    """How many bytes the rows will take, by the length and the kind of the first."""
    return int(images.bytes / (len(images.first_row) + 1) * row_bytes(images))


def row_bytes(images: TextFile) -> int:
    """How many bytes a row will take, by the kind of the first."""
    values = text.to_array([images.first_row.encode()], images.layout)
    size = text.compact(values).itemsize if isinstance(values, np.ndarray) else 4
    return images.layout.width * size


def free_storage(context: Any) -> int:
    """Bytes that all executors have left for cached blocks; the driver holds none, unless it is the executor too."""
    scala = context._jsc.sc()
    driver = None if scala.isLocal() else scala.env().blockManager().blockManagerId().hostPort()
    managers, free = scala.getExecutorMemoryStatus().iterator(), 0
    while managers.hasNext():
        manager = managers.next()
        if manager._1() != driver:
            free += manager._2()._2()  # (at most, left)
    return free
