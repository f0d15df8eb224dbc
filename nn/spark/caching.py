"""How blocks are kept between jobs: as they lie where there is room, packed where there is not, on disk beyond that.

Spark packs what Python caches: serialised and, with spark.rdd.compress, compressed, which every pass over the rows
undoes again. Kept as Java objects the bytes go to the Python workers as they lie. A block that leaves memory is packed
and written to disk either way; one evicted from memory alone would be parsed from text again in every epoch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import text
from nn.spark.textfile import COMPRESSED, TextFile

SHARE = 0.5  # of the free memory for storage that rows may take as they lie


def level_for(images: TextFile) -> Any:
    """The storage level for the rows of an image text."""
    from pyspark import StorageLevel

    packed = StorageLevel.MEMORY_AND_DISK  # in PySpark: serialised
    if any(file.path.endswith(COMPRESSED) for file in images.files):
        return packed  # no one knows how large it will be
    if estimated_bytes(images) > SHARE * free_storage(images.context):
        return packed
    return StorageLevel(useDisk=True, useMemory=True, useOffHeap=False, deserialized=True)


def estimated_bytes(images: TextFile) -> int:
    """How many bytes the rows will take, by the length and the kind of the first."""
    rows = images.bytes / (len(images.first_row) + 1)
    values = text.to_array([images.first_row.encode()], images.layout)
    size = text.compact(values).itemsize if isinstance(values, np.ndarray) else 4
    return int(rows * images.layout.width * size)


def free_storage(context: Any) -> int:
    """Bytes that all executors have left for cached blocks."""
    each = context._jsc.sc().getExecutorMemoryStatus().values().iterator()
    free = 0
    while each.hasNext():
        free += each.next()._2()
    return free
