"""--check: print a table of the executors, and a line for each problem that would stop the job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nn.cli import console
from nn.cli.options import Options
from nn.cli.resume import Start
from nn.core import format
from nn.core.errors import DataError, MissingFileError, PlatformError, UsageError
from nn.data import csv
from nn.spark import preflight
from nn.spark.input import cache
from nn.spark.input.input_files import Files
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import TextFile
from nn.spark.preflight import BlockSummary, ExecutorReport, FirstAndLast, Memory
from nn.spark.runtime import cluster
from nn.spark.storage.filesystem import Storage, local_path
from nn.spark.storage.run_directory import Output
from nn.training.trial_step import Rehearsal

HEADER = (
    *("executor", "host", "python", "numpy", "nn", "BLAS threads", "tasks", "step"),
    *("workers need", "of", "rows need", "of", "inputs"),
)


def run(context: Any, storage: Storage, output: Output, start: Start) -> None:
    """Print a table of the executors, then the state of the data, the memory and OUTPUT.

    Raises PlatformError or DataError with the first problem; the others are printed before.
    """
    cluster.wait_for_executors(context, console.print_line)
    _print_lines(filter(None, [start.lines()]))
    options = start.options
    partitions = options.for_cluster(context.defaultParallelism).pieces
    bound = cluster.worker_memory_limit(context)
    try:
        train, test = _opened(context, storage, options, partitions)
        ends = [*preflight.first_and_last(train), *preflight.first_and_last(test)]
    except MissingFileError:
        raise  # the driver does not see it either
    except DataError:
        # The line of an executor that lacks a file says more than the error of the job that read it.
        found = preflight.report_executors(context, _local(options, storage), None, 0)
        _print_lines(table(found, bound))
        _raise(faults(found, bound), [])
        raise
    images = [files.images for files in (train, test) if isinstance(files.images, TextFile)]
    room = preflight.memory_for_rows(context, images)
    rehearsal = _rehearsal(options, train, ends, partitions)
    found = preflight.report_executors(context, _local(options, storage), rehearsal, room.needed)
    _print_lines([*table(found, bound), *map(ends_line, ends), room_line(room)])
    output.probe()
    _print_lines(
        [f"output    {output.folder.path} can be written to by the driver; no executor writes there"]
    )
    _raise(faults(found, bound), data_faults(ends))
    _print_lines(["checked   no problem was found; nothing was left behind"])


def _opened(context: Any, storage: Storage, options: Options, partitions: int) -> tuple[Files, Files]:
    """Open the files of both sets. Raises DataError if they cannot be read or do not fit each other."""
    sources = options.sources()
    with options.get_data_hint():
        train = Files.open(context, storage, sources[0], partitions)
        test = (
            train if sources[1] is None else Files.open_test(context, storage, sources[1], partitions, train)
        )
    test.refuse_other_width(train)
    for file in (train.images, train.labels, test.images, test.labels):
        if isinstance(file, Table):
            raise UsageError(
                f"--check: expected text of numbers, found a table in {file.path}; run without --check"
            )
    return train, test


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        console.print_line(line)


def _raise(platform: Sequence[str], data: Sequence[str]) -> None:
    """Raise the first problem as an error, those of the platform before those of the data; print the others."""
    _print_lines([f"problem   {problem}" for problem in [*platform, *data][1:]])
    if platform:
        raise PlatformError(f"--check: {platform[0]}")
    if data:
        raise DataError(f"--check: {data[0]}")


def _rehearsal(
    options: Options, train: Files, ends: Sequence[FirstAndLast], partitions: int
) -> Rehearsal | None:
    """Return a training step like the job's on one partition; None if an end of the data is faulty."""
    if any(isinstance(block, csv.LineError) for text in ends for block in (text.first, text.last)):
        return None
    assert isinstance(train.images, TextFile)
    classes = max(2, *(text.classes for text in ends))
    rows = max(1, train.images.bytes // (len(train.images.first_row) + 1))
    recipe = options.recipe.for_replicas(rows, partitions)
    options.model(train.width, classes, 1.0)  # raises here, in one line, what would fail on an executor
    size = cache.row_bytes(train.images) // train.images.dialect.width
    return Rehearsal(recipe, train.width, classes, -(-rows // partitions), size)


def _local(options: Options, storage: Storage) -> list[str]:
    """Return the input paths that every machine must have on its own disk; Spark checks glob patterns."""
    paths = [
        path
        for source in options.sources()
        if source is not None
        for path in (source.images, source.labels)
        if path is not None
    ]
    local_paths = (local_path(path, storage) for path in paths if not set(path) & set("*?[{"))
    return [path for path in local_paths if path is not None]


def table(found: Sequence[ExecutorReport], bound: int | None) -> list[str]:
    """Return the table as lines: a header, then one line per executor.

    `bound` is the memory of an executor's workers in bytes; None: all that its machine has free.
    """
    rows = [HEADER, *(_cells(report, bound) for report in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cells(found: ExecutorReport, bound: int | None) -> tuple[str, ...]:
    worker, executor, row_bytes = found
    return (
        "?" if executor is None else executor.name,
        *(worker.host, worker.python, worker.numpy, worker.nn, worker.threads),
        "?" if executor is None else str(executor.slots),
        "?" if worker.step_seconds is None else format.duration(worker.step_seconds),
        _size(_workers(found)),
        _size(worker.free_memory if bound is None else bound),
        _size(row_bytes),
        _size(0 if executor is None else executor.storage),
        "unreadable" if worker.unreadable else "readable",
    )


def _workers(found: ExecutorReport) -> int:
    """Return the most bytes that all workers of an executor took together; 0 if unknown."""
    return 0 if found.executor is None else found.executor.slots * found.worker.peak_memory


def _size(size: int) -> str:
    return format.size(size) if size else "?"


def faults(found: Sequence[ExecutorReport], bound: int | None) -> list[str]:
    """Return a line for each problem of the executors that would stop a job or make its results vary between runs."""
    workers = [report.worker for report in found]
    problems = [
        f"{worker.host} cannot read {path}: put it on every machine, or on a file system that all of them share"
        for worker in workers
        for path in worker.unreadable
    ]
    moved = "; a task that moves to another machine may give results with other last bits"
    for name in ("python", "numpy", "nn"):
        versions = sorted({getattr(worker, name) for worker in workers})
        if len(versions) > 1:
            problems.append(f"executors run different versions of {name}: {', '.join(versions)}{moved}")
    hosts = {worker.arithmetic: worker.host for worker in workers}
    if len(hosts) > 1 and len({worker.numpy for worker in workers}) == 1:
        names = " and ".join(sorted(hosts.values()))
        problems.append(f"the processors or BLAS libraries of {names} round sums differently{moved}")
    return problems + _too_little_memory(found, bound)


def data_faults(ends: Sequence[FirstAndLast]) -> list[str]:
    """Return a line for each fault in the first and last blocks of the data, without duplicates."""
    problems = [
        f"{text.argument}: {file}, line {block.line}{within}: {block}"
        for text in ends
        for block, file, within in zip((text.first, text.last), text.files, ("", _within(text)), strict=True)
        if isinstance(block, csv.LineError)
    ]
    return list(dict.fromkeys(problems))


def _within(ends: FirstAndLast) -> str:
    """Return the words that follow a line number of the last block, which is counted in the file's last lines."""
    return f" of the last {ends.tail:,}" if ends.tail else ""


def _too_little_memory(found: Sequence[ExecutorReport], bound: int | None) -> list[str]:
    """Return a line for each executor whose workers need more memory than there is."""
    problems = []
    for report in found:
        needed, available = _workers(report), report.worker.free_memory if bound is None else bound
        if not available or needed <= available:
            continue
        hint = (
            "give it fewer cores"
            if bound is None
            else "raise spark.executor.memoryOverhead or give it fewer cores"
        )
        problems.append(
            f"executor {_cells(report, bound)[0]} on {report.worker.host}: its workers need "
            f"{format.size(needed)}, {format.size(available)} are available beside the heap: {hint}"
        )
    return problems


def ends_line(ends: FirstAndLast) -> str:
    """Return the line on the first and the last block of a text."""
    first, last = (
        f"{block.rows:,} rows of {block.width} value{'s' if block.width > 1 else ''}"
        if isinstance(block, BlockSummary)
        else "unreadable"
        for block in (ends.first, ends.last)
    )
    pieces = f"{ends.splits} piece{'s' if ends.splits > 1 else ''}"
    return f"data      {ends.argument}: {pieces}; first block {first}, last block {last}"


def room_line(room: Memory) -> str:
    """Return the line on the memory that the rows need and the executors have."""
    level = (
        "in memory"
        if room.needed <= cache.SHARE * room.free
        else "on disk, which is slower; more memory would hold them"
    )
    return (
        f"memory    rows need {format.size(room.needed)}, executors have {format.size(room.free)} for them: "
        f"they are cached {level}"
    )
