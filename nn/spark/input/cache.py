"""How blocks are kept between jobs: in memory where there is room for all of them, else on disk.

In memory they are Java objects, whose bytes go to the Python workers as they lie; Spark's usual level for Python would
pack them, serialised and compressed, and every pass over the rows unpack them again. Of rows that turn out larger than
estimated, those that do not fit go to disk.

On disk they are packed, and stream through each pass. Kept on disk and in memory, Spark would bring a partition back
as a whole whenever its accounts say that there is room, and a JVM whose heap a few large partitions fill dies of it.
In memory alone, what is evicted would be parsed from text again in every epoch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.data import csv
from nn.spark.input.text_source import COMPRESSED, TextFile
from nn.spark.runtime import cluster

SHARE = 0.5  # of the free memory for storage that rows may take


def level_for(images: TextFile) -> Any:
    """The storage level for the rows of an image text; of an archive no one knows how large it will be."""
    packed = any(file.path.endswith(COMPRESSED) for file in images.files)
    return level(images.context, 0 if packed else estimated_bytes(images))


def level(context: Any, size: int) -> Any:
    """The storage level for rows of about `size` bytes."""
    from pyspark import StorageLevel

    fits = size <= SHARE * free_storage(context)
    return StorageLevel(useDisk=True, useMemory=fits, useOffHeap=False, deserialized=fits)


def note(images: TextFile, chosen: Any) -> list[str]:
    """A line for the user where the rows are kept on disk."""
    if chosen.useMemory:
        return []
    return [
        f"{images.argument}: rows of about {estimated_bytes(images) / 1e9:.3g} GB are kept on disk; more memory "
        "(--driver-memory with a local master, else --executor-memory or more executors) would hold them"
    ]


def estimated_bytes(images: TextFile) -> int:
    """How many bytes the rows will take, by the length and the kind of the first."""
    return int(images.bytes / (len(images.first_row) + 1) * row_bytes(images))


def row_bytes(images: TextFile) -> int:
    """How many bytes a row will take, by the kind of the first."""
    values = csv.to_array([images.first_row.encode()], images.dialect)
    size = csv.compact(values).itemsize if isinstance(values, np.ndarray) else 4
    return images.dialect.width * size


def free_storage(context: Any) -> int:
    """Bytes that all executors have left for cached blocks."""
    return sum(each.storage for each in cluster.registered(context))
