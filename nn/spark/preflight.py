"""Check a cluster before a job: what each executor runs, what it can read, and whether the memory is enough.

A small job for each text reads its first and its last input split. Another job runs a task on every executor, which
reports its versions and its memory and does a piece of the job's work on made-up rows.
"""

from __future__ import annotations

import functools
import os
import platform
import socket
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from nn import __version__
from nn.core import fingerprint
from nn.data import csv
from nn.data.columns import Columns
from nn.data.labels import CLASSIFICATION, LabelReader
from nn.spark.input import cache
from nn.spark.input.input_files import Files
from nn.spark.input.text_source import TextFile
from nn.spark.runtime import cluster, jvm
from nn.spark.runtime.workers import tune_worker

PAUSE = 0.2  # seconds that a task takes at least, so that no executor gets all of them
TASKS_PER_SLOT = 3
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")  # the first that is set counts

LabelsOf = Callable[[csv.Chunk], Any]  # labels (n,), None where there are none, or a LineError


class Trial(Hashable, Protocol):
    """A piece of a job's work on made-up rows: TrialStep or TrialPrediction."""

    def run(self) -> float:
        """Do it; return the seconds that it took."""


class WorkerReport(NamedTuple):
    """The versions and the memory of one executor's Python workers, as one of them reports them."""

    stage: int
    task: int  # by which the driver finds the executor's name
    process: int  # of the daemon that starts its workers
    host: str
    python: str
    numpy: str
    nn: str
    arithmetic: str  # a hash of the last bits that it computes (nn/core/fingerprint.py)
    threads: str  # of BLAS in a worker, "all" where no variable limits them
    free_memory: int  # bytes of the machine; 0: unknown
    peak_memory: int  # bytes of the worker, after the trial; 0: unknown
    trial_seconds: float | None  # None: there was no trial
    unreadable: tuple[str, ...]  # local paths that it cannot read


class ExecutorReport(NamedTuple):
    """One executor, as its Python workers and as Spark report it."""

    worker: WorkerReport
    executor: cluster.Executor | None  # None where Spark no longer knows it
    row_bytes: int  # of the rows that it will hold


class BlockSummary(NamedTuple):
    """The size of a text's first or last block."""

    rows: int
    width: int
    classes: int  # one more than its largest label; 0: it has no labels


class FirstAndLast(NamedTuple):
    """The first and the last block of a text, or the error in them."""

    argument: str
    splits: int
    first: BlockSummary | csv.LineError
    last: BlockSummary | csv.LineError
    files: tuple[str, str]  # the paths of the two
    tail: int  # lines of the last block where it is the end of its file, 0: where it is all of it

    @property
    def classes(self) -> int:
        """Return one more than the largest label in the two blocks."""
        blocks = (self.first, self.last)
        return max(block.classes if isinstance(block, BlockSummary) else 0 for block in blocks)


class Memory(NamedTuple):
    """Bytes of memory for the rows that are cached between passes."""

    needed: int
    free: int  # of all executors together


def report_executors(
    context: Any, paths: Iterable[str], trial: Trial | None, needed: int
) -> list[ExecutorReport]:
    """Return a report of every executor, in the order of their names.

    `paths` are local ones that each executor must be able to read. `needed` bytes of rows will be spread over all.
    """
    executors = {executor.name: executor for executor in cluster.registered(context)}
    slots = sum(executor.slots for executor in executors.values())
    count = TASKS_PER_SLOT * max(context.defaultParallelism, slots)
    context.setJobDescription("visiting the executors")
    tasks = context.parallelize(range(count), count)
    workers = tasks.mapPartitions(partial(report_worker, tuple(paths), trial)).collect()
    names = jvm.executors_of_tasks(context, workers[0].stage, 2 * count)
    reports: dict[tuple[str, int], ExecutorReport] = {}
    for worker in workers:
        executor = executors.get(names.get(worker.task, ""))
        row_bytes = 0 if executor is None else needed * executor.slots // slots
        previous = reports.get((worker.host, worker.process))
        if previous is not None and previous.worker.peak_memory > worker.peak_memory:
            worker = previous.worker
        reports[worker.host, worker.process] = ExecutorReport(worker, executor, row_bytes)
    return sorted(reports.values(), key=_by_name)


def _by_name(report: ExecutorReport) -> tuple:
    name = "" if report.executor is None else report.executor.name
    return len(name), name, report.worker.host, report.worker.process


def report_worker(paths: tuple[str, ...], trial: Trial | None, elements: Iterable) -> Iterator[WorkerReport]:
    """Yield a report of the Python worker that runs this task."""
    from pyspark import TaskContext

    tune_worker()
    for _ in elements:
        time.sleep(PAUSE)
    task: Any = TaskContext.get()
    step = _trial_seconds(trial)
    yield WorkerReport(
        task.stageId(),
        task.partitionId(),
        os.getppid(),
        socket.gethostname(),
        platform.python_version(),
        np.__version__,
        __version__,
        fingerprint.fingerprint(),
        next((os.environ[name] for name in THREADS if os.environ.get(name)), "all"),
        _linux_memory("/proc/meminfo", "MemAvailable"),
        _linux_memory("/proc/self/status", "VmHWM"),
        step,
        tuple(path for path in paths if not os.access(path, os.R_OK)),
    )


@functools.cache
def _trial_seconds(trial: Trial | None) -> float | None:
    """Return the seconds of a trial, which each worker makes once."""
    return None if trial is None else trial.run()


def first_and_last(files: Files, task: str = CLASSIFICATION) -> list[FirstAndLast]:
    """Read the first and the last block of a set's images, and of its labels, where they are text of numbers."""
    blocks, label_reader = [], LabelReader(task)
    if isinstance(files.images, TextFile):
        blocks.append(_first_and_last(files.images, partial(_labels_of_images, files.columns, label_reader)))
    if isinstance(files.labels, TextFile):
        blocks.append(_first_and_last(files.labels, partial(_labels_alone, label_reader)))
    return blocks


def _first_and_last(file: TextFile, labels_of: LabelsOf) -> FirstAndLast:
    last = file.lines.getNumPartitions() - 1
    starts = {index: file.splits[index].start == 0 for index in (0, last)}
    file.context.setJobDescription(f"reading the ends of {file.argument}")
    read = file.lines.mapPartitionsWithIndex(partial(_read_ends, file.dialect, labels_of, starts))
    with file.readable():
        ends = dict(file.context.runJob(read, list, sorted(starts)))
    files = file.splits[0].path, file.splits[last].path
    return FirstAndLast(file.argument, len(file.splits), ends[0][0], ends[last][1], files, ends[last][2])


def _labels_of_images(columns: Columns, label_reader: LabelReader, part: csv.Chunk) -> Any:
    if columns.weight is not None:
        weights = csv.to_weights(part.values[:, columns.weight], part.line)
        if isinstance(weights, csv.LineError):
            return weights
    if columns.label is None:
        return None
    return label_reader.read(part.values[:, [columns.label]], part.line)


def _labels_alone(label_reader: LabelReader, part: csv.Chunk) -> Any:
    return label_reader.read(part.values, part.line)


def memory_for_rows(context: Any, sets: list[Files]) -> Memory:
    """Return the memory that the rows of all sets need, and that is free on all executors."""
    return Memory(sum(map(_estimated_bytes, sets)), cache.free_storage(context))


def _estimated_bytes(files: Files) -> int:
    if isinstance(files.images, TextFile):
        return cache.estimated_bytes(files.images)
    return files.images.estimated_rows * sum(kind.bytes for kind in files.kinds)


def _read_ends(
    dialect: csv.Dialect, labels_of: LabelsOf, starts: dict[int, bool], index: int, lines: Iterator[bytes]
) -> Iterator[tuple[int, tuple]]:
    """Yield a split's index, its first and last block and `tail`. Reads every line, so that the worker is reused."""
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
    head = _summarize(first, dialect, labels_of, starts[index])
    yield index, (head, _summarize(list(last), dialect, labels_of, whole), 0 if whole else len(last))


def _summarize(
    lines: list[bytes], dialect: csv.Dialect, labels_of: LabelsOf, starts_file: bool
) -> BlockSummary | csv.LineError:
    rows, classes, fault = 0, 0, None
    for part in csv.parse(iter(lines), dialect, starts_file):
        if isinstance(part, csv.PieceEnd):
            rows, fault = part.rows, fault or part.fault
            continue
        labels = labels_of(part)
        if isinstance(labels, csv.LineError):
            fault = labels
        elif labels is not None and labels.dtype.kind != "f":
            classes = max(classes, int(labels.max()) + 1)
    return fault or BlockSummary(rows, dialect.width, classes)


def _linux_memory(path: str, name: str) -> int:
    """Return the bytes that a file of Linux gives for a name; 0 on other systems."""
    try:
        with open(path) as file:
            words = next((line.split() for line in file if line.startswith(f"{name}:")), ["", "0"])
    except OSError:
        return 0
    return 1024 * int(words[1])
