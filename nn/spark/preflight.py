"""Look over a cluster before a job: what each executor runs, what it can read, and whether there is room.

A small job for each text reads its first and its last piece; another visits every executor and rehearses a step of the
training there.
"""

from __future__ import annotations

import functools
import os
import platform
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn import __version__
from nn.core import fingerprint
from nn.data import csv
from nn.data.columns import Columns
from nn.spark.input import cache
from nn.spark.input.reader import Files
from nn.spark.input.text_source import TextFile
from nn.spark.runtime import cluster
from nn.spark.runtime.workers import tune_worker
from nn.training.trial_step import Rehearsal

PAUSE = 0.2  # seconds that a visit takes at least, so that no executor gets all of them
VISITS = 3  # for each task that runs at once
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")  # the first that is set counts

LabelsOf = Callable[[csv.Chunk], Any]  # labels (n,), None where there are none, or a Fault


class Visited(NamedTuple):
    """What one executor's Python says of itself."""

    stage: int
    task: int  # by which the driver finds the executor's name
    process: int  # of the daemon that starts its workers
    host: str
    python: str
    numpy: str
    nn: str
    arithmetic: str  # what tells the last bits that it computes (nn/core/fingerprint.py)
    threads: str  # of BLAS in a worker, "all" where nothing bounds them
    free: int  # bytes of the machine; 0: unknown
    worker: int  # bytes that a worker held at most, a step rehearsed; 0: unknown
    step: float | None  # seconds of the step; None: none was rehearsed
    unread: tuple[str, ...]  # local paths that it cannot read


class Found(NamedTuple):
    """An executor: what Python says of it, and what Spark does."""

    visited: Visited
    executor: cluster.Executor | None  # None where Spark no longer knows it
    rows: int  # bytes of rows that it will be given


class PieceEnd(NamedTuple):
    """What a block at one end of a text holds."""

    rows: int
    width: int
    classes: int  # one more than the largest label there; 0: it holds no labels


class Ends(NamedTuple):
    """The first and the last block of a text, or what is wrong with them."""

    argument: str
    pieces: int
    first: PieceEnd | csv.LineError
    last: PieceEnd | csv.LineError
    files: tuple[str, str]  # where the two lie
    tail: int  # lines of the last block where it ends its file, 0: where it is all of it

    @property
    def classes(self) -> int:
        """One more than the largest label that was seen."""
        return max(end.classes if isinstance(end, PieceEnd) else 0 for end in (self.first, self.last))


class Room(NamedTuple):
    """Bytes for rows that are kept between passes."""

    needed: int
    free: int  # that all executors have together


def visit(context: Any, paths: Iterable[str], rehearsal: Rehearsal | None, needed: int) -> list[Found]:
    """Every executor once, in the order of their names.

    `paths` are local ones that each must be able to read; `needed` bytes of rows will be spread over all of them.
    """
    known = {each.name: each for each in cluster.registered(context)}
    count = VISITS * max(context.defaultParallelism, sum(each.slots for each in known.values()))
    context.setJobDescription("visiting the executors")
    tasks = context.parallelize(range(count), count)
    said = tasks.mapPartitions(partial(describe, tuple(paths), rehearsal)).collect()
    names = _executors_of(context, said[0].stage, count)
    slots = sum(each.slots for each in known.values())
    found: dict[tuple[str, int], Found] = {}
    for each in said:
        executor = known.get(names.get(each.task, ""))
        rows = 0 if executor is None else needed * executor.slots // slots
        before = found.get((each.host, each.process))
        if before is not None and before.visited.worker > each.worker:
            each = before.visited
        found[each.host, each.process] = Found(each, executor, rows)
    return sorted(found.values(), key=_by_name)


def _by_name(found: Found) -> tuple:
    name = "" if found.executor is None else found.executor.name
    return len(name), name, found.visited.host, found.visited.process


def _executors_of(context: Any, stage: int, count: int) -> dict[int, str]:
    """The name of the executor that ran each task of a stage."""
    tasks = context._jsc.sc().statusStore().taskList(stage, 0, 2 * count)
    return {each.index(): each.executorId() for each in map(tasks.apply, range(tasks.size()))}


def describe(paths: tuple[str, ...], rehearsal: Rehearsal | None, elements: Iterable) -> Iterator[Visited]:
    """What the executor is that this runs on."""
    from pyspark import TaskContext

    tune_worker()
    for _ in elements:
        time.sleep(PAUSE)
    task: Any = TaskContext.get()
    step = _rehearsed(rehearsal)
    yield Visited(
        task.stageId(),
        task.partitionId(),
        os.getppid(),
        socket.gethostname(),
        platform.python_version(),
        np.__version__,
        __version__,
        fingerprint.fingerprint(),
        next((os.environ[name] for name in THREADS if os.environ.get(name)), "all"),
        _told("/proc/meminfo", "MemAvailable"),
        _told("/proc/self/status", "VmHWM"),
        step,
        tuple(path for path in paths if not os.access(path, os.R_OK)),
    )


@functools.cache
def _rehearsed(rehearsal: Rehearsal | None) -> float | None:
    """Seconds of a step, taken once in a worker's life."""
    return None if rehearsal is None else rehearsal.run()


def ends(files: Files) -> list[Ends]:
    """The ends of a set's images, and of its labels where they lie apart."""
    found = [_ends(files.images, partial(_labels_beside, files.columns))]
    if files.labels is not None:
        found.append(_ends(files.labels, _labels_alone))
    return found


def _ends(file: TextFile, labels_of: LabelsOf) -> Ends:
    last = file.lines.getNumPartitions() - 1
    starts = {place: file.pieces[place].start == 0 for place in (0, last)}
    file.context.setJobDescription(f"reading the ends of {file.argument}")
    read = file.lines.mapPartitionsWithIndex(partial(_ends_of, file.dialect, labels_of, starts))
    with file.readable():
        pieces = dict(file.context.runJob(read, list, sorted(starts)))
    files = file.pieces[0].path, file.pieces[last].path
    return Ends(file.argument, len(file.pieces), pieces[0][0], pieces[last][1], files, pieces[last][2])


def _labels_beside(columns: Columns, part: csv.Chunk) -> Any:
    labels, weights = columns.labels_and_weights(part, csv.MAX_CLASSES)
    return weights if isinstance(weights, csv.LineError) else labels


def _labels_alone(part: csv.Chunk) -> Any:
    return csv.to_labels(part.values, part.line)


def room(context: Any, images: list[TextFile]) -> Room:
    """What the rows of all sets need, and what there is."""
    return Room(sum(map(cache.estimated_bytes, images)), cache.free_storage(context))


def _ends_of(
    dialect: csv.Dialect, labels_of: LabelsOf, starts: dict[int, bool], index: int, lines: Iterator[bytes]
) -> Iterator[tuple[int, tuple]]:
    """A piece's number, its first and last block and `tail`; every line is drawn, so that the worker can be kept."""
    tune_worker()
    rows = csv.chunk_rows(dialect.width)
    first = csv.next_lines(lines, rows)
    last, count, size = deque(first), len(first), sum(map(len, first))
    for line in lines:
        last.append(line)
        count, size = count + 1, size + len(line)
        while len(last) > rows or (size > csv.CHUNK_TEXT and len(last) > 1):
            size -= len(last.popleft())
    whole = starts[index] and count == len(last)  # the last block too begins where the file does
    ends = _end(first, dialect, labels_of, starts[index]), _end(list(last), dialect, labels_of, whole)
    yield index, (*ends, 0 if whole else len(last))


def _end(
    lines: list[bytes], dialect: csv.Dialect, labels_of: LabelsOf, starts_file: bool
) -> PieceEnd | csv.LineError:
    rows, classes, fault = 0, 0, None
    for part in csv.parse(iter(lines), dialect, starts_file):
        if isinstance(part, csv.PieceEnd):
            rows, fault = part.rows, fault or part.fault
            continue
        labels = labels_of(part)
        if isinstance(labels, csv.LineError):
            fault = labels
        elif labels is not None:
            classes = max(classes, int(labels.max()) + 1)
    return fault or PieceEnd(rows, dialect.width, classes)


def _told(path: str, name: str) -> int:
    """Bytes by a name, as Linux tells; 0 elsewhere."""
    try:
        with open(path) as file:
            words = next((line.split() for line in file if line.startswith(f"{name}:")), ["", "0"])
    except OSError:
        return 0
    return 1024 * int(words[1])
