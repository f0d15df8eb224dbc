"""What a job would meet on a cluster, as a table, and a line for each thing that would stop it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nn.cli import console, dry_run
from nn.cli.options import Options
from nn.cli.resume import Start
from nn.core.errors import DataError, MissingFileError, PlatformError
from nn.data import csv
from nn.spark import preflight
from nn.spark.input import cache
from nn.spark.input.input_files import Files
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
    """Print the table and what follows it.

    Raises PlatformError or DataError, with the first reason, after all that could be learnt, where a job would not
    run well.
    """
    cluster.wait_for_executors(context, console.say)
    _say(filter(None, [start.lines()]))
    asked = start.asked
    partitions = asked.for_cluster(context.defaultParallelism).pieces
    bound = cluster.worker_memory_limit(context)
    try:
        train, test = _opened(context, storage, asked, partitions)
        ends = [*preflight.first_and_last(train), *preflight.first_and_last(test)]
    except MissingFileError:
        raise  # the driver does not see it either
    except DataError:
        # Where an executor lacks a file, that says more than what the job met.
        found = preflight.report_executors(context, _local(asked, storage), None, 0)
        _say(table(found, bound))
        _raise(faults(found, bound), [])
        raise
    room = preflight.memory_for_rows(context, [train.images, test.images])
    rehearsal = _rehearsal(asked, train, ends, partitions)
    found = preflight.report_executors(context, _local(asked, storage), rehearsal, room.needed)
    _say([*table(found, bound), *map(ends_line, ends), room_line(room)])
    output.probe()
    _say([f"output    {output.folder.path} can be written to by the driver; no executor writes there"])
    _raise(faults(found, bound), data_faults(ends))
    _say(["checked   nothing stands in the way; nothing was left behind"])


def _opened(context: Any, storage: Storage, asked: Options, partitions: int) -> tuple[Files, Files]:
    """The files of both sets; DataError where they cannot be read, or do not fit each other."""
    sources = asked.sources()
    with asked.telling_how_to_get_data():
        train = Files.open(context, storage, sources[0], partitions)
        test = Files.open_test(context, storage, sources[1], partitions, train)
    test.refuse_other_width(train)
    return train, test


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        console.say(line)


def _raise(obstacles: Sequence[str], wrong: Sequence[str]) -> None:
    """End with the first of what stands in the way, of executors before data, once the others are told."""
    _say([f"problem   {problem}" for problem in [*obstacles, *wrong][1:]])
    if obstacles:
        raise PlatformError(f"--check: {obstacles[0]}")
    if wrong:
        raise DataError(f"--check: {wrong[0]}")


def _rehearsal(
    asked: Options, train: Files, ends: Sequence[FirstAndLast], partitions: int
) -> Rehearsal | None:
    """A step as the job would take it on one partition; None where the ends of its data are not as they should be."""
    if any(isinstance(block, csv.LineError) for each in ends for block in (each.first, each.last)):
        return None
    classes = max(2, *(each.classes for each in ends))
    rows = max(1, train.images.bytes // (len(train.images.first_row) + 1))
    recipe = asked.recipe.for_replicas(rows, partitions)
    asked.model(train.width, classes, 1.0)  # refused here in one line, not on an executor
    size = cache.row_bytes(train.images) // train.images.dialect.width
    return Rehearsal(recipe, train.width, classes, -(-rows // partitions), size)


def _local(asked: Options, storage: Storage) -> list[str]:
    """The inputs that each machine must have on a disk of its own; patterns are left to Spark."""
    paths = [
        path for source in asked.sources() for path in (source.images, source.labels) if path is not None
    ]
    places = (local_path(path, storage) for path in paths if not set(path) & set("*?[{"))
    return [place for place in places if place is not None]


def table(found: Sequence[ExecutorReport], bound: int | None) -> list[str]:
    """A line an executor, under a header; `bound` bytes are for its workers, None: what the machine has free."""
    rows = [HEADER, *(_cells(each, bound) for each in found)]
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
        "?" if worker.step_seconds is None else _time(worker.step_seconds),
        _size(_workers(found)),
        _size(worker.free_memory if bound is None else bound),
        _size(row_bytes),
        _size(0 if executor is None else executor.storage),
        "unreadable" if worker.unreadable else "readable",
    )


def _workers(found: ExecutorReport) -> int:
    """Bytes that all workers of an executor take together at most; 0: unknown."""
    return 0 if found.executor is None else found.executor.slots * found.worker.peak_memory


def _size(size: int) -> str:
    return dry_run.bytes_of(size) if size else "?"


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def faults(found: Sequence[ExecutorReport], bound: int | None) -> list[str]:
    """What about the executors would stop a job, or make its results differ from run to run, a line each."""
    workers = [each.worker for each in found]
    said = [
        f"{each.host} cannot read {path}: put it on every machine, or on a file system that all of them share"
        for each in workers
        for path in each.unreadable
    ]
    moved = "; a task that moves to another machine may give other last bits"
    for name in ("python", "numpy", "nn"):
        versions = sorted({getattr(each, name) for each in workers})
        if len(versions) > 1:
            said.append(f"executors run different versions of {name}: {', '.join(versions)}{moved}")
    hosts = {each.arithmetic: each.host for each in workers}
    if len(hosts) > 1 and len({each.numpy for each in workers}) == 1:
        names = " and ".join(sorted(hosts.values()))
        said.append(f"the processors or BLAS libraries of {names} round sums differently{moved}")
    return said + _too_little(found, bound)


def data_faults(ends: Sequence[FirstAndLast]) -> list[str]:
    """What is wrong with the ends of the data, a line each; what is both ends is said once."""
    said = [
        f"{each.argument}: {file}, line {block.line}{within}: {block}"
        for each in ends
        for block, file, within in zip((each.first, each.last), each.files, ("", _within(each)), strict=True)
        if isinstance(block, csv.LineError)
    ]
    return list(dict.fromkeys(said))


def _within(ends: FirstAndLast) -> str:
    """Among which lines those of the last block are counted, unless it is all of its file."""
    return f" of the last {ends.tail:,}" if ends.tail else ""


def _too_little(found: Sequence[ExecutorReport], bound: int | None) -> list[str]:
    """A line for each executor whose workers would not find the memory that they need."""
    said = []
    for each in found:
        needed, there = _workers(each), each.worker.free_memory if bound is None else bound
        if not there or needed <= there:
            continue
        cure = (
            "give it fewer cores"
            if bound is None
            else "raise spark.executor.memoryOverhead or give it fewer cores"
        )
        said.append(
            f"executor {_cells(each, bound)[0]} on {each.worker.host}: its workers need "
            f"{dry_run.bytes_of(needed)}, {dry_run.bytes_of(there)} are there beside the heap: {cure}"
        )
    return said


def ends_line(ends: FirstAndLast) -> str:
    """What the ends of a text hold."""
    first, last = (
        f"{block.rows:,} rows of {block.width} value{'s' if block.width > 1 else ''}"
        if isinstance(block, BlockSummary)
        else "unreadable"
        for block in (ends.first, ends.last)
    )
    pieces = f"{ends.splits} piece{'s' if ends.splits > 1 else ''}"
    return f"data      {ends.argument}: {pieces}; first block {first}, last block {last}"


def room_line(room: Memory) -> str:
    """What the rows need of what there is."""
    kept = (
        "in memory"
        if room.needed <= cache.SHARE * room.free
        else "on disk, which is slower; more memory would hold them"
    )
    return (
        f"memory    rows need {dry_run.bytes_of(room.needed)}, executors have {dry_run.bytes_of(room.free)} for them: "
        f"they are kept {kept}"
    )
