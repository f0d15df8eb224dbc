"""Look over a cluster before a job: what each executor runs, what it can read, and whether there is room.

One small job visits every executor; a second reads the first and the last piece of TRAIN_IMAGES and TEST_IMAGES.
"""

from __future__ import annotations

import os
import platform
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from nn import __version__, text
from nn.spark import caching
from nn.spark.textfile import TextFile

PAUSE = 0.2  # seconds that a visit takes at least, so that no executor gets all of them
VISITS = 3  # for each task that runs at once
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")  # the first that is set counts


class Executor(NamedTuple):
    """What one executor's Python says of itself."""

    host: str
    process: int  # of the daemon that starts its workers
    python: str
    numpy: str
    nn: str
    threads: str  # of BLAS in a worker, "all" where nothing bounds them
    cores: int
    memory: int  # bytes of the machine
    free: int  # of them
    unread: tuple[str, ...]  # local paths that it cannot read


class Ends(NamedTuple):
    """The first and the last block of a set: rows and input values, or what is wrong with them."""

    argument: str
    pieces: int
    first: tuple[int, int] | text.Fault
    last: tuple[int, int] | text.Fault


class Room(NamedTuple):
    """Bytes for rows that are kept between passes."""

    needed: int
    free: int  # that all executors have together


def visit(context: Any, paths: Iterable[str]) -> list[Executor]:
    """Every executor once, sorted by host; `paths` are local ones that each must be able to read."""
    count = VISITS * context.defaultParallelism
    context.setJobDescription("visiting the executors")
    found = context.parallelize(range(count), count).mapPartitions(partial(describe, tuple(paths))).collect()
    return sorted({(each.host, each.process): each for each in found}.values())


def describe(paths: tuple[str, ...], elements: Iterable) -> Iterator[Executor]:
    """What the executor is that this runs on."""
    for _ in elements:
        time.sleep(PAUSE)
    memory = _memory()
    yield Executor(
        socket.gethostname(),
        os.getppid(),
        platform.python_version(),
        np.__version__,
        __version__,
        next((os.environ[name] for name in THREADS if os.environ.get(name)), "all"),
        os.cpu_count() or 1,
        memory.get("MemTotal", 0),
        memory.get("MemAvailable", 0),
        tuple(path for path in paths if not os.access(path, os.R_OK)),
    )


def ends(images: TextFile) -> Ends:
    """The first and the last block of a set of images."""
    last = images.lines.getNumPartitions() - 1
    starts = {place: images.pieces[place].start == 0 for place in (0, last)}
    images.context.setJobDescription(f"reading the ends of {images.argument}")
    read = images.lines.mapPartitionsWithIndex(partial(_ends_of, images.layout, starts))
    pieces = dict(images.context.runJob(read, list, sorted(starts)))
    return Ends(images.argument, len(images.pieces), pieces[0][0], pieces[last][1])


def room(context: Any, images: list[TextFile]) -> Room:
    """What the rows of all sets need, and what there is."""
    return Room(sum(map(caching.estimated_bytes, images)), caching.free_storage(context))


def _ends_of(
    layout: text.Layout, starts: dict[int, bool], index: int, lines: Iterator[bytes]
) -> Iterator[tuple[int, tuple]]:
    """A piece's number, its first and its last block; every line is drawn, so that the worker can be kept."""
    rows = text.chunk_rows(layout.width)
    first = list(islice(lines, rows))
    last, count = deque(first, maxlen=rows), len(first)
    for line in lines:
        last.append(line)
        count += 1
    whole = starts[index] and count <= rows  # the last block too begins where the file does
    yield index, (_block(first, layout, starts[index]), _block(list(last), layout, whole))


def _block(lines: list[bytes], layout: text.Layout, starts_file: bool) -> tuple[int, int] | text.Fault:
    rows, fault = 0, None
    for part in text.parse(iter(lines), layout, starts_file):
        if isinstance(part, text.End):
            rows, fault = part.rows, part.fault
    return fault or (rows, layout.width)


def _memory() -> dict[str, int]:
    """Bytes by name, as Linux tells; nothing elsewhere."""
    try:
        with open("/proc/meminfo") as file:
            words = [line.split() for line in file]
    except OSError:
        return {}
    return {word[0].rstrip(":"): 1024 * int(word[1]) for word in words if len(word) > 1}
