"""Blocks in files on the executors' own disks: a job maps them into memory, and reads no more than it selects.

Spark sends a cached partition through a socket to each task that reads it, whole, whatever the task selects. The first
jobs of a run read it so. Once that has taken as long as writing files takes, each executor writes the blocks of its
partitions to files in Spark's folder for temporary files, which Spark removes with the application. Later jobs run over
the paths of the files, an RDD that is cached where the files are. The workers of a machine share the pages of a file,
and the system takes them back when memory is short.

Spark's cache decides what the blocks are. A task that finds no file, because it runs elsewhere than the one that wrote
it, returns sums that say so, and the job runs again over Spark's cache. The blocks are the same, so are the results.
"""

from __future__ import annotations

import mmap
import os
import pickle
import shutil
import struct
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from nn.data.block import Block
from nn.spark.runtime.settings import is_true

# The files are written once reading has taken JOB_SECONDS, for the job that writes them, and as long as WRITE_READS
# jobs read, for the writing. So a run is at most some twice as slow as if the number of its jobs were known, and a
# short one does not pay for files.
JOB_SECONDS, WRITE_READS = 0.25, 3
MOST_MISSES = 3  # jobs of a run that found a file missing, after which it uses files no more
# Of the disk, left free: YARN takes a node out of service when a disk is filled to nine tenths.
FREE_SHARE = 0.15
PAGE = mmap.ALLOCATIONGRANULARITY
SEGMENT = 32 << 20  # bytes of a file that are mapped at once, and stay so while one of their arrays is used
ALIGNMENT = 64  # bytes, of an array in a file: a line of the processor's cache
FOOTER = struct.Struct("<Q")  # the bytes of the layout before it


class FileMissing(Exception):
    """The file of a partition is not on this machine."""


class BlockFiles:
    """The files of the partitions of an RDD of blocks."""

    def __init__(self, blocks: Any):
        self._blocks = blocks
        self._paths: Any = None  # RDD of the path of each partition's file
        self._ended = False  # whether files were written and removed, or could not be written
        self._passes = 0  # that have read Spark's cache
        self._seconds = 0.0  # that they have read
        self._misses = 0

    def rows(self) -> Any:
        """Return an RDD of the blocks in the files, for the next job; None: read Spark's cache."""
        if self._paths is None and not self._ended and self._is_worth_it():
            self._ended = not self._may_write()
            if not self._ended:
                self._write()
        return None if self._paths is None else self._paths.mapPartitions(read)

    def note_reading(self, seconds: float) -> None:
        """Count a job that waited so long, on the clock, for blocks of Spark's cache."""
        self._passes += 1
        self._seconds += seconds

    def _is_worth_it(self) -> bool:
        cost = JOB_SECONDS + WRITE_READS * self._seconds / max(self._passes, 1)
        return self._passes >= WRITE_READS and self._seconds >= cost

    def note_miss(self) -> None:
        """Count a job that found a file missing."""
        self._misses += 1
        if self._misses == MOST_MISSES:
            self.remove()

    def remove(self) -> None:
        """Remove the files that are there, and write none again."""
        self._ended = True
        if self._paths is not None:
            paths, self._paths = self._paths, None
            with suppress(Exception):  # Spark has ended, or fails: then it removes its folders
                paths.foreach(_remove)
                paths.unpersist()

    def _may_write(self) -> bool:
        """Return whether these are Spark's own blocks, and the user lets data lie on local disks as they are."""
        from pyspark import RDD

        if not isinstance(self._blocks, RDD):
            return False
        return not is_true(self._blocks.context.getConf().get("spark.io.encryption.enabled"))

    def _write(self) -> None:
        """Write the files, in a job of its own; remove them again if one of them could not be written."""
        name = f"blocks-{uuid.uuid4().hex}"
        self._blocks.context.setJobDescription("writing blocks to local files")
        self._paths = self._blocks.mapPartitionsWithIndex(partial(write, name)).persist()
        if not all(self._paths.collect()):
            self.remove()


class _Place(NamedTuple):
    """Where a block lies in its file."""

    head: bytes  # the block, pickled without the content of its arrays
    start: int  # of the block, a multiple of PAGE
    arrays: list[tuple[int, int]]  # first byte from there, and bytes, of each array

    @property
    def end(self) -> int:
        """Return the position after its last array."""
        return self.start + (sum(self.arrays[-1]) if self.arrays else 0)


def write(name: str, index: int, blocks: Iterable[Block]) -> Iterator[str]:
    """Write the blocks of a partition to a file, whole or not at all. Yield its path; "" where it cannot be written."""
    blocks = iter(blocks)
    folders = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")
    path = os.path.join(folders[index % len(folders)], f"{name}-{index}")
    part = f"{path}.{uuid.uuid4().hex}"  # the task may run twice at once
    try:
        if not os.path.isabs(path):
            raise OSError("Spark has named no folder for temporary files")
        with open(part, "xb", opener=partial(os.open, mode=0o600)) as file:
            layout = pickle.dumps([tuple(_append(file, block)) for block in blocks])
            file.write(layout)
            file.write(FOOTER.pack(len(layout)))
        os.replace(part, path)
    except OSError:
        _remove(part)
        path = ""
    for _ in blocks:  # where writing failed: Spark ends a worker that leaves its input unread
        pass
    yield path


def read(paths: Iterable[str]) -> Iterator[Block]:
    """Yield the blocks in files. Their arrays are read-only, and in memory as far as they are used.

    Raises FileMissing, also for a file that is not whole.
    """
    for path in list(paths):  # Spark ends a worker that leaves its input unread
        for places in _segments(_layout(path)):
            content, first = _mapped(path, places), places[0].start
            for head, start, arrays in places:
                views = [content[start - first + at : start - first + at + count] for at, count in arrays]
                yield pickle.loads(head, buffers=views)


def _append(file: BinaryIO, block: Block) -> _Place:
    """Write the arrays of a block at the end of a file. Raises OSError where the disk is nearly full."""
    disk = shutil.disk_usage(os.path.dirname(file.name))
    if disk.free < FREE_SHARE * disk.total:
        raise OSError("the disk is nearly full")
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(block, protocol=5, buffer_callback=buffers.append)
    start = _advance(file, PAGE)
    arrays = []
    for buffer in buffers:
        first, content = _advance(file, ALIGNMENT), buffer.raw()
        file.write(content)
        arrays.append((first - start, content.nbytes))
    return _Place(head, start, arrays)


def _advance(file: BinaryIO, unit: int) -> int:
    """Write zeros up to the next multiple of `unit`, and return the position there."""
    file.write(bytes(-file.tell() % unit))
    return file.tell()


def _layout(path: str) -> list[_Place]:
    """Return where each block of a file lies. Raises FileMissing."""
    try:
        with open(path, "rb") as file:
            end = file.seek(-FOOTER.size, os.SEEK_END)
            (size,) = FOOTER.unpack(file.read(FOOTER.size))
            file.seek(end - size)
            return [_Place(*place) for place in pickle.loads(file.read(size))]
    except (OSError, ValueError, EOFError, struct.error, pickle.UnpicklingError):
        raise FileMissing(path) from None


def _segments(places: list[_Place]) -> Iterator[list[_Place]]:
    """Divide the blocks of a file into runs of some SEGMENT bytes: each mapping takes one of a process's open files."""
    segment: list[_Place] = []
    for place in places:
        segment.append(place)
        if place.end - segment[0].start >= SEGMENT:
            yield segment
            segment = []
    if segment:
        yield segment


def _mapped(path: str, places: list[_Place]) -> memoryview:
    """Return the bytes of consecutive blocks. They go back to the system when the last array is freed."""
    start, end = places[0].start, max(place.end for place in places)
    if end == start:
        return memoryview(b"")
    try:
        with open(path, "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), end - start, access=mmap.ACCESS_READ, offset=start))
    except (OSError, ValueError):  # ValueError: the file is shorter
        raise FileMissing(path) from None


def _remove(path: str) -> None:
    with suppress(OSError):
        os.remove(path)
